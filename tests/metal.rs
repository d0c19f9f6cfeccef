//! Devices: what the command line refuses, and one emulated board, where there is an emulator.

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use std::path::Path;

fn apical() -> Command {
    let mut command = Command::cargo_bin("apical").expect("the binary is built with its tests");
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    command
}

fn refuses(arguments: &[&str], line: &str) {
    let assert = apical().args(arguments).assert().code(2).stderr(contains(line));
    let stderr = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert_eq!(stderr.lines().count(), 1, "one line: {stderr}");
}

#[test]
fn bad_input_is_refused_in_one_line() {
    refuses(&["emulate", "--board", "abacus"], "there is no board abacus; there are microbit");
    refuses(&["emulate", "--network", "784:16"], "784:16 is not like 784-100-10:16");
    refuses(&["emulate", "--firmware", "/nowhere"], "/nowhere/boards/boards.txt");
    refuses(&["emulate", "--model", "Cargo.toml"], "is no file of weights");
    refuses(&["export", "Cargo.toml"], "is no file of weights");
    refuses(&["fit", "--ram", "much", "--flash", "1M"], "is not like 128K");
    refuses(&["fit", "--ram", "16K"], "--flash");
}

/// The firmware has one type of weight and its usual binary point compiled in: another network
/// would be another network there.
#[test]
fn weights_that_the_firmware_does_not_have_are_not_exported() {
    let folder = std::env::temp_dir().join(format!("apical-points-{}", std::process::id()));
    let run = folder.to_string_lossy().into_owned();
    let small = ["--hidden", "5", "--examples", "5", "--test-images", "2", "--quiet"];
    let weights = folder.join("core.apical").to_string_lossy().into_owned();
    let flash = folder.join("network.bin").to_string_lossy().into_owned();
    for (width, line) in [
        ("8:4,4", "other binary points than the firmware's (--weights 8)"),
        ("8,16", "weights of 8 bits and of 16 in the output layer; the firmware has one type of weight"),
    ] {
        apical().args(["train", "--weights", width, "--out", &run]).args(small).assert().success();
        refuses(&["export", &weights, "--out", &flash], line);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn fit_lists_what_a_device_can_do() {
    let fit = |ram: &str| apical().args(["fit", "--ram", ram, "--flash", "512K"]).assert().success();
    fit("192K").stdout(contains("784-100-10:16").and(contains("learns on it")));
    fit("1K").stdout(contains("nothing fits"));
}

#[test]
fn an_emulated_board_learns_what_this_machine_learns() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = "thumbv7m-none-eabi";
    let ready = std::process::Command::new(root.join("scripts/targets")).args(["--check", target]).output();
    if !ready.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no emulator or no compiler for {target}; run: scripts/targets {target}");
        return;
    }
    let arguments = ["--examples", "20", "--every", "10", "--test", "10", "--count", "0"];
    let emulate = apical().args(["emulate", "--board", "lm3s6965evb"]).args(arguments).assert();
    emulate.success().stdout(contains("equal (3 digests)"));
}
