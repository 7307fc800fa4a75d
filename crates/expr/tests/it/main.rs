//! The check language against tables of cases, its three-valued laws, and generated input.

mod cases;
mod hostile;
mod kleene;
mod world;
