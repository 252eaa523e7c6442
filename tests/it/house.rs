//! The house itself: directions, sizes, and that every statement is used.
