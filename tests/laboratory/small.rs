//! A small data set in a folder, and the program.

use assert_cmd::Command;
use std::fs;
use std::path::Path;

fn idx(shape: &[u32], bytes: &[u8]) -> Vec<u8> {
    let magic = 0x0800 | shape.len() as u32;
    let header = [&[magic], shape].concat();
    let header: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
    [&header, bytes].concat()
}

/// 60 + 30 images of 6 × 6 in three classes: a bright band at a place of each class.
pub fn write(folder: &Path) {
    let image = |example: u32| {
        let (class, shade) = (example % 3, 120 + (example * 37 % 130) as u8);
        (0..36).map(move |pixel| if pixel / 12 == class { shade } else { (pixel * example % 40) as u8 })
    };
    for (name, count) in [("train", 60u32), ("t10k", 30)] {
        let pixels: Vec<u8> = (0..count).flat_map(image).collect();
        let labels: Vec<u8> = (0..count).map(|example| (example % 3) as u8).collect();
        let file = |kind: &str| folder.join(format!("{name}-{kind}-ubyte"));
        fs::write(file("images-idx3"), idx(&[count, 6, 6], &pixels)).expect("a writable folder");
        fs::write(file("labels-idx1"), idx(&[count], &labels)).expect("a writable folder");
    }
}

/// The program, in a folder of its own.
pub fn apical(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("apical").expect("the program was built");
    command.current_dir(folder).args(arguments);
    command
}
