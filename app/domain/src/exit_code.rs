//! What an exit code of the container means.

/// The meaning of an exit code, as a clause for a person.
pub fn meaning(code: i64, oom_killed: bool) -> String {
    match code {
        _ if oom_killed => "killed by the kernel: it used more memory than its limit".to_owned(),
        0 => "ended by itself without an error".to_owned(),
        1 => "ended with an error: the log says which".to_owned(),
        125 => "Docker could not start the container".to_owned(),
        126 => "the command in the image cannot be executed".to_owned(),
        127 => "the command was not found in the image".to_owned(),
        130 => "stopped from a terminal (SIGINT)".to_owned(),
        134 => "aborted itself (SIGABRT), often out of JavaScript heap".to_owned(),
        137 => "killed (SIGKILL): by a person, by Docker after the grace period, or for memory"
            .to_owned(),
        139 => "crashed (SIGSEGV)".to_owned(),
        143 => "stopped as asked (SIGTERM)".to_owned(),
        129..=192 => format!("ended by signal {}", code - 128),
        _ => format!("ended with code {code}: the log says more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_wins_over_the_bare_code() {
        assert!(meaning(137, true).contains("memory than its limit"));
        assert!(meaning(137, false).starts_with("killed (SIGKILL)"));
        assert_eq!(meaning(131, false), "ended by signal 3");
        assert_eq!(meaning(3, false), "ended with code 3: the log says more");
    }
}
