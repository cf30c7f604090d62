//! Integration tests. `cfg(test)` tells clippy that helpers here are test code too.

#[cfg(test)]
mod evidence;
#[cfg(test)]
mod staging;
#[cfg(test)]
mod warehouse;
