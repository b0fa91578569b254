//! The migrations are built into the crate: a changed folder means a new build.

fn main() {
    println!("cargo::rerun-if-changed=../../../migrations");
    println!("cargo::rerun-if-changed=../../../.sqlx");
}
