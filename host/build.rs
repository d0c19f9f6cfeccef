//! Tells the program which commit it was built from, if git knows.

use std::{path::Path, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // A path that is not there would make cargo run this at every build.
    let moved = Path::new("../.git/logs/HEAD");
    if moved.exists() {
        println!("cargo:rerun-if-changed={}", moved.display());
    }
    if let Some(commit) = commit() {
        println!("cargo:rustc-env=APICAL_COMMIT={commit}");
    }
}

fn commit() -> Option<String> {
    let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
    let commit = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !commit.is_empty()).then_some(commit)
}
