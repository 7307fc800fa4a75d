//! Part of Palisade.
