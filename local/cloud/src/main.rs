//! `local`: brings the local cloud up and runs the demo.

fn main() {}
