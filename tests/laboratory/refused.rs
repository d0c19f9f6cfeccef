//! Bad requests: one line, exit code 2, nothing written.

use crate::small;
use std::fs;
use tempfile::TempDir;

fn refused(folder: &TempDir, arguments: &[&str], says: &str) {
    let output = small::apical(folder.path(), arguments).output().expect("it runs");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert_eq!(message.lines().count(), 1, "{arguments:?}: {message}");
    assert!(message.contains(says), "{arguments:?}: {message}");
    assert!(!folder.path().join("results").exists(), "{arguments:?} left something behind");
}

fn folder() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("a folder");
    small::write(&data);
    folder
}

#[test]
fn formats_that_say_nothing() {
    let folder = folder();
    for (format, says) in [
        ("soma", "VARIABLE"),
        ("soma=16", "bits.fraction"),
        ("soma=33.0", "2 to 32 bits"),
        ("soma=8.4:up", "none of floor"),
        ("soma=8.4:floor:explode", "none of saturate"),
        ("sema=8.4", "none of accumulator"),
        ("soma@top=8.4", "neither hidden"),
        ("soma@7=8.4", "2 layers"),
        ("weight=20.4", "2 to 16"),
        ("rate=8.0", "fraction bit"),
    ] {
        for command in ["compare", "sweep", "attribute"] {
            refused(&folder, &[command, "-q", "--data", "data", "--hidden", "5", "--format", format], says);
        }
        refused(&folder, &["formats", "--format", format], says);
    }
}

#[test]
fn profiles_that_are_none() {
    let folder = folder();
    refused(&folder, &["compare", "--data", "data", "--profile", "lohi"], "loihi");
    refused(&folder, &["profiles", "lohi"], "loihi");
    refused(&folder, &["profiles", "missing.toml"], "missing.toml");
    refused(
        &folder,
        &["compare", "--data", "data", "--profile", "q7", "--weights", "8"],
        "cannot be used with",
    );
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    for (text, says) in [
        ("name = ", "mine.toml"),
        ("formats = 3", "mine.toml"),
        ("speed = 9", "unknown field"),
        ("[formats]\nsoma = \"8.4:up\"", "none of floor"),
        ("decay = \"slow\"", "none of fine"),
        ("[formats]\nweights = \"17.4\"", "2 to 16"),
    ] {
        write("mine.toml", text);
        refused(&folder, &["profiles", "mine.toml"], says);
        refused(&folder, &["compare", "--data", "data", "--profile", "mine.toml"], says);
    }
}

#[test]
fn sweeps_that_are_no_grid() {
    let folder = folder();
    let write = |text: &str| fs::write(folder.path().join("sweep.toml"), text).expect("a file");
    for (arguments, says) in [
        (&["--axis", "weights.bits=1..4"][..], "2 to 32"),
        (&["--axis", "weights.width=4"], "ends in none of"),
        (&["--axis", "speed=4"], "none of profile"),
        (&["--axis", "profile=lohi"], "loihi"),
        (&["--axis", "rate=0.1", "--axis", "rate=0.2"], "twice"),
        (&["--axis", "rate=0.1", "--best", "hidden"], "no axis"),
        (&["--axis", "hidden=5x5", "--rate", "0.1,0.2"], "learning rates"),
        (&["--file", "missing.toml"], "missing.toml"),
        (&["--seeds", "0"], "seeds"),
    ] {
        refused(&folder, &[&["sweep", "-q", "--data", "data"], arguments].concat(), says);
    }
    for (text, says) in [
        ("axis = ", "sweep.toml"),
        ("axes = [\"rate=0.1\"]", "no option 'axes'"),
        ("axis = [\"rate=9\"]", "sweep.toml"),
        ("examples = \"many\"", "sweep.toml"),
        ("seeds = { first = 1 }", "neither text"),
    ] {
        write(text);
        refused(&folder, &["sweep", "-q", "--data", "data", "--file", "sweep.toml"], says);
    }
}

#[test]
fn a_store_of_another_sweep_is_left_alone() {
    let folder = folder();
    let store = folder.path().join("store.csv");
    fs::write(&store, "key,stage,other\n").expect("a file");
    refused(
        &folder,
        &["sweep", "-q", "--data", "data", "--csv", "store.csv", "--axis", "rate=0.1"],
        "another sweep",
    );
    assert_eq!(fs::read_to_string(&store).expect("it is still there"), "key,stage,other\n");
}
