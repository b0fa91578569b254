//! Memory goes back to the system when it is free.

/// Pins what glibc adapts by itself. With the first password hash (19 MiB, freed again) it takes blocks
/// of that size for usual: from then on they stay in the heap of every thread that ever made one, and
/// 200 sign-ins leave the panel at 150 MB instead of 25 (`mallopt(3)`, “dynamic mmap threshold”).
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "mallopt has no safe binding")]
pub(crate) fn give_back() {
    const LARGE: libc::c_int = 256 * 1024;
    const HEAPS: libc::c_int = 2;
    // SAFETY: mallopt takes plain numbers and locks its own state; it may be called at any time.
    let done = unsafe {
        [
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE),
            libc::mallopt(libc::M_TRIM_THRESHOLD, LARGE),
            libc::mallopt(libc::M_ARENA_MAX, HEAPS),
        ]
    };
    if done.contains(&0) {
        tracing::warn!(
            "The C library did not take its memory settings; the panel may keep more than it needs"
        );
    }
}

/// Other C libraries do not adapt.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn give_back() {}
