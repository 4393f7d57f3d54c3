//! Nothing of its own: the suite stands in `suite/`.
