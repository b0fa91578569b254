//! Pushing: to where the branch follows, what the panel wrote and nothing else; a failure is a note.

use domain::fault::{Fault, FaultKind};

use crate::fault::complaint;
use crate::tree::Tree;

/// Pushes; what a person has to know when nothing came of it.
pub(crate) async fn push(tree: &Tree) -> Result<Option<String>, Fault> {
    let why = match try_push(tree).await {
        Ok(why) => why,
        Err(fault) if fault.kind == FaultKind::TimedOut => Some(
            "the remote did not answer in time. Push by hand, or with the next rotation".to_owned(),
        ),
        Err(fault) => return Err(fault),
    };
    let folder = tree.git.folder.display();
    Ok(why.map(|why| format!("Committed in {folder}, but not pushed: {why}.")))
}

async fn try_push(tree: &Tree) -> Result<Option<String>, Fault> {
    let followed = match tree.branch().await? {
        Some(branch) => followed(tree, &branch).await?,
        None => None,
    };
    let Some(Followed {
        remote,
        there,
        here,
    }) = followed
    else {
        let why =
            "the branch follows none of a remote. Tell git which one (git push --set-upstream)";
        return Ok(Some(why.to_owned()));
    };
    if others_wait(tree, &here).await? {
        let why = "the branch has commits of others that are not pushed, either, and that is theirs to decide. \
                   Push them by hand (git push)";
        return Ok(Some(why.to_owned()));
    }
    let target = format!("HEAD:{there}");
    let arguments = [
        "push",
        "--quiet",
        "--no-verify",
        "--no-follow-tags",
        "--recurse-submodules=no",
        "--",
        &remote,
        &target,
    ];
    let said = tree.git.run_far(&arguments).await?;
    Ok((!said.is_success()).then(|| meaning(&said.err)))
}

struct Followed {
    remote: String,
    /// The branch's name at the remote: `refs/heads/main`.
    there: String,
    /// What is known of it here: `refs/remotes/origin/main`.
    here: String,
}

async fn followed(tree: &Tree, branch: &str) -> Result<Option<Followed>, Fault> {
    let name = format!("refs/heads/{branch}");
    let format = "--format=%(upstream:remotename) %(upstream:remoteref) %(upstream)";
    let said = tree.git.ask(&["for-each-ref", format, &name]).await?;
    let parts: Vec<&str> = said.split(' ').collect();
    Ok(match parts.as_slice() {
        // The remote `.` is this very clone.
        [remote, there, here] if !matches!(*remote, "" | ".") && !there.is_empty() => {
            Some(Followed {
                remote: (*remote).to_owned(),
                there: (*there).to_owned(),
                here: (*here).to_owned(),
            })
        }
        _ => None,
    })
}

async fn others_wait(tree: &Tree, here: &str) -> Result<bool, Fault> {
    let range = format!("{here}..HEAD");
    let said = tree.git.run(&["log", "--format=%ce", &range, "--"]).await?;
    // What was never fetched cannot be compared.
    Ok(said.is_success()
        && said
            .line()
            .lines()
            .any(|email| email != tree.git.author.email))
}

fn meaning(stderr: &str) -> String {
    let said = |words: &[&str]| words.iter().any(|word| stderr.contains(word));
    if said(&["non-fast-forward", "fetch first"]) {
        return "the remote has commits that are not here. Run git pull --rebase and git push"
            .to_owned();
    }
    if said(&["[remote rejected]", "hook declined", "protected branch"]) {
        return "the remote refuses it, by a hook or because the branch is protected".to_owned();
    }
    if said(&[
        "Permission denied",
        "Authentication failed",
        "could not read Username",
        "could not read Password",
        "returned error: 403",
        "Host key verification failed",
    ]) {
        return "the remote does not let the panel in. Give the user as whom git runs a key or a credential helper \
                that may push"
            .to_owned();
    }
    if said(&[
        "Could not resolve",
        "Connection refused",
        "timed out",
        "unable to access",
        "does not appear to be a git repository",
    ]) {
        return "the remote cannot be reached. Push by hand, or with the next rotation".to_owned();
    }
    format!("git says “{}”", complaint(stderr))
}
