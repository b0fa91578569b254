//! The table of cases: facts in, verdict out. To be completed by at least 60 cases.
