//! What is said of a new key, and of an old one that came back.

use domain::key_rotation::KeyRotation;

/// Whole sentences, for one of the two.
pub(super) struct Wording {
    pub(super) title: &'static str,
    /// Before the time.
    pub(super) since: &'static str,
    /// After a name.
    pub(super) still: &'static str,
    pub(super) not_everywhere: &'static str,
    pub(super) everywhere: &'static str,
    pub(super) proved: &'static str,
    /// Before who it was.
    pub(super) sends_other: &'static str,
    pub(super) has: &'static str,
    pub(super) needs: &'static str,
    pub(super) tick: &'static str,
    pub(super) cannot_be_told: &'static str,
}

const NEW: Wording = Wording {
    title: "The new API key",
    since: "rotated ",
    still: "still uses the old key",
    not_everywhere: "The new key works; it is not everywhere yet",
    everywhere: "The new key works, and everybody has it",
    proved: "The key is proved: it is taken, and the old one is refused.",
    sends_other: "Still sends the old key, from ",
    has: "Has the new key. ",
    needs: "Needs the new key. ",
    tick: "It has the new key",
    cannot_be_told: "Who still sends the old key cannot be told now: ",
};

const BACK: Wording = Wording {
    title: "The old API key again",
    since: "put back ",
    still: "still uses the key that was taken back",
    not_everywhere: "The old key works again; it is not everywhere yet",
    everywhere: "The old key works again, and everybody has it",
    proved: "The key is proved: it is taken, and the one that was taken back is refused.",
    sends_other: "Still sends the key that was taken back, from ",
    has: "Has the old key. ",
    needs: "Needs the old key again. ",
    tick: "It has the old key",
    cannot_be_told: "Who still sends the key that was taken back cannot be told now: ",
};

impl Wording {
    pub(super) fn of(rotation: &KeyRotation) -> &'static Self {
        match rotation.puts_back {
            None => &NEW,
            Some(_) => &BACK,
        }
    }
}
