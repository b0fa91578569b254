pub(super) fn start_live() {}
pub(super) fn start_follow() {}
