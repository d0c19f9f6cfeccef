//! A sweep that is killed five times at random moments.

use crate::small;
use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SWEEP: [&str; 16] = [
    "sweep",
    "--quiet",
    "--data",
    "data",
    "--hidden",
    "40",
    "--examples",
    "60",
    "--epochs",
    "12",
    "--axis",
    "weights.bits=4..11",
    "--axis",
    "weights.rounding=nearest,stochastic",
    "--axis",
    "soma.bits=8,15",
];
const REST: [&str; 8] =
    ["--seeds", "2", "--reference", "--counters", "--best", "soma.bits", "--pilot-examples", "30"];

fn command(folder: &Path, csv: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_apical"));
    command.current_dir(folder).args(SWEEP).args(REST).args(["--csv", csv]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn rows(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count().saturating_sub(1))
}

#[test]
fn a_sweep_killed_five_times_ends_as_an_undisturbed_one() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("a folder");
    small::write(&data);

    assert!(command(folder.path(), "calm.csv").status().expect("it runs").success());
    let expected = fs::read_to_string(folder.path().join("calm.csv")).expect("a store");
    // 8 × 2 × 2 pilots, 2 references, 8 × 2 cells of 2 seeds.
    assert_eq!(expected.lines().count(), 1 + 32 + 2 + 32);

    let store = folder.path().join("killed.csv");
    let mut seen = Vec::new();
    for _ in 0..5 {
        let mut child = command(folder.path(), "killed.csv").spawn().expect("it runs");
        // Not before it added up to nine rows, however slow the machine is; then at any moment
        // of writing or calculating.
        let random = RandomState::new().build_hasher().finish();
        let wanted = rows(&store) + 1 + (random % 9) as usize;
        let patience = Instant::now() + Duration::from_secs(60);
        while rows(&store) < wanted && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(random >> 32 & 0x3FFF));
        child.kill().expect("SIGKILL");
        child.wait().expect("it ended");
        seen.push(rows(&store));
    }
    assert!(seen.windows(2).all(|pair| pair[0] <= pair[1]), "rows were lost: {seen:?}");
    assert!(seen[0] > 0 && seen[0] < 66, "the first kill came too late or too early: {seen:?}");
    println!("rows after each kill: {seen:?}");
    assert!(command(folder.path(), "killed.csv").status().expect("it runs").success());
    assert_eq!(fs::read_to_string(&store).expect("a store"), expected);
}

#[test]
fn a_torn_row_is_run_again_and_a_finished_sweep_runs_nothing() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("a folder");
    small::write(&data);
    let sweep =
        ["sweep", "-q", "--data", "data", "--hidden", "5", "--examples", "20", "--axis", "rate=0.1,0.2"];
    let run = || {
        let output = small::apical(folder.path(), &sweep).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(run().contains("6 cells run"));
    let store = folder.path().join("results/sweep.csv");
    let whole = fs::read(&store).expect("a store");
    fs::write(&store, &whole[..whole.len() - 9]).expect("a store");
    let again = run();
    assert!(again.contains("1 cells run") && again.contains("5 found"), "{again}");
    assert_eq!(fs::read(&store).expect("a store"), whole);
    // The manifest stays that of who ran the cells.
    let manifest = || fs::read_to_string(store.with_extension("json")).expect("a manifest");
    let before = manifest();
    assert!(before.contains("\"cells_run\": 1"), "{before}");
    assert!(run().contains("0 cells run"));
    assert_eq!(manifest(), before);
}
