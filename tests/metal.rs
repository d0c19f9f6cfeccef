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
    refuses(&["emulate", "--rate", "0.1,0.2,0.3"], "3 learning rates for 2 layers");
    refuses(&["emulate", "--rate", "0"], "learning rate");
    refuses(&["emulate", "--firmware", "/nowhere"], "/nowhere/boards/boards.txt");
    refuses(&["emulate", "--model", "Cargo.toml"], "is no file of weights");
    refuses(&["export", "Cargo.toml"], "is no file of weights");
    refuses(&["fit", "--ram", "much", "--flash", "1M"], "is not like 128K");
    refuses(&["fit", "--ram", "16K"], "--flash");
}

#[test]
fn what_the_firmware_does_not_have_is_not_exported() {
    let folder = std::env::temp_dir().join(format!("apical-export-{}", std::process::id()));
    let run = folder.to_string_lossy().into_owned();
    let small = ["--examples", "5", "--test-images", "2", "--quiet", "--out", &run];
    let weights = folder.join("core.apical").to_string_lossy().into_owned();
    let flash = folder.join("network.bin").to_string_lossy().into_owned();
    for (network, line) in [
        (["--hidden", "5", "--kernel", "cut"], "the scaled synaptic kernel only (--kernel scaled)"),
        (["--hidden", "5,4", "--kernel", "scaled"], "2 hidden layers; the firmware has room for one"),
    ] {
        apical().arg("train").args(network).args(small).assert().success();
        refuses(&["export", &weights, "--out", &flash], line);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// Every number of an exported network has its place: header, weights, bounds of columns of 16 bits, biases, feedback.
#[test]
fn an_exported_network_has_the_widths_of_its_layers() {
    let folder = std::env::temp_dir().join(format!("apical-widths-{}", std::process::id()));
    let run = folder.to_string_lossy().into_owned();
    let small = ["--hidden", "6", "--examples", "5", "--test-images", "2", "--quiet", "--out", &run];
    let weights = folder.join("core.apical").to_string_lossy().into_owned();
    let flash = folder.join("network.bin").to_string_lossy().into_owned();
    let (hidden, output) = (784 * 6 + 10 * 6, 6 * 10);
    for (width, errors, formats, bytes) in [
        ("16", 0, [16, 8, 16, 8], 2 * (hidden + output) + 2 * (784 + 6)),
        ("8:4,5", 0, [8, 4, 8, 5], hidden + output),
        ("8:4,5/6", 6, [8, 4, 8, 5], hidden + output),
        ("8,16", 0, [8, 4, 16, 8], hidden + 2 * output + 2 * 6),
    ] {
        apical().args(["train", "--weights", width]).args(small).assert().success();
        apical().args(["export", &weights, "--out", &flash]).assert().success();
        let network = std::fs::read(&flash).unwrap();
        assert_eq!((&network[6..8], &network[28..32]), (&[errors, 0][..], &formats[..]), "{width}");
        assert_eq!(network.len(), 32 + bytes + 2 * (6 + 10), "{width}");
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
    for (network, rate) in
        [("784-52-10:8", "0.21"), ("784-20-10:8,16", "0.21"), ("784-20-10:8:4,5/5", "0.3,0.1")]
    {
        let board = ["emulate", "--board", "lm3s6965evb", "--network", network, "--rate", rate];
        let emulate = apical().args(board).args(arguments).assert();
        emulate.success().stdout(contains("equal (3 digests)"));
    }
}
