//! Comparisons of recorded containers.
