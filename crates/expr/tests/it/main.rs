//! The check language against tables of cases, its three-valued laws, and generated input.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod kleene;
#[cfg(test)]
mod world;
