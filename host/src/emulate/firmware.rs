//! Builds the firmware for a board and reads from the result what it will occupy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Board, EmulateError, Shape};

/// A program for a board.
#[derive(Debug, Clone)]
pub struct Program {
    /// A copy of its own: boards of one target share the place where cargo puts it.
    pub elf: PathBuf,
    /// Bytes of flash that are code.
    pub code: u32,
    /// Bytes of flash that are constants, initial values and exception vectors.
    pub constants: u32,
    /// Bytes of RAM taken for good.
    pub ram: u32,
    /// Whether the program counts what is lost.
    pub counts: bool,
    /// η of each layer.
    pub rates: Vec<f64>,
    /// Whether it prints its log as it is; boards leave its texts in the ELF file.
    pub prints: bool,
    /// The folder of its sources.
    pub sources: PathBuf,
}

/// `firmware/` here, or else in the workspace this was built from.
pub fn default_directory() -> PathBuf {
    let here = PathBuf::from("firmware");
    if here.is_dir() {
        return here;
    }
    let host = Path::new(env!("CARGO_MANIFEST_DIR"));
    host.parent().unwrap_or(host).join(here)
}

/// What is to be built.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Folder of the firmware's sources.
    pub firmware: &'a Path,
    /// For which board.
    pub board: &'a Board,
    /// With which network.
    pub shape: &'a Shape,
    /// η of each layer.
    pub rates: &'a [f64],
    /// Name of the program.
    pub program: &'a str,
    /// A network for flash, in the form of `apical export`.
    pub model: Option<&'a Path>,
    /// Whether it is to go on learning.
    pub goes_on: bool,
    /// Whether it is to count what is lost; boards with 16 KB never do.
    pub counts: bool,
}

/// Builds a program of the firmware for a board with a network.
pub fn build(source: Source<'_>) -> Result<Program, EmulateError> {
    let Source { firmware, board, shape, rates, program, model, goes_on, counts } = source;
    let target_directory =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| firmware.join("target"), PathBuf::from);
    let target_directory =
        std::path::absolute(&target_directory).unwrap_or(target_directory).join("firmware");
    let toolchain = toolchain(firmware, &board.target)?;
    let mut cargo = Command::new("cargo");
    if program == "float" {
        // Nothing of it is in assembly: small code would be slow code. Later flags win over .cargo/config.toml's.
        let target = board.target.to_uppercase().replace(['-', '.'], "_");
        cargo.env(format!("CARGO_TARGET_{target}_RUSTFLAGS"), "-C opt-level=2");
    }
    let output = cargo
        .args(toolchain)
        .args(["build", "--quiet", "--release", "--locked", "--bin", program, "--target", &board.target])
        .args(if board.is_web() { &["--features", "web"][..] } else { &[] })
        .current_dir(firmware)
        .env("BOARD", &board.name)
        .env("NETWORK", shape.to_string())
        .env("RATE", rates.iter().map(f64::to_string).collect::<Vec<_>>().join(","))
        .env("MODEL", model.map(std::path::absolute).and_then(Result::ok).unwrap_or_default())
        .env("GO_ON", if goes_on { "1" } else { "" })
        .env("COUNTS", if counts { "1" } else { "" })
        .env("CARGO_TARGET_DIR", &target_directory)
        // Left over from a cargo that may have started us.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTUP_TOOLCHAIN")
        .stdin(Stdio::null())
        .output()
        .map_err(|_| missing("cargo"))?;
    if !output.status.success() {
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(reason_of_failure(board, shape, &log));
    }
    let mut built = target_directory.join(&board.target).join("release").join(program);
    if board.is_web() {
        built.set_extension("wasm");
    }
    let kept = built.with_file_name(format!(
        "{program}-{}-{}",
        board.name,
        shape.to_string().replace([':', '/'], "-")
    ));
    let bytes = fs::copy(&built, &kept).and_then(|_| fs::read(&kept));
    let sources = std::path::absolute(firmware).unwrap_or_else(|_| firmware.to_owned());
    let rates = rates.to_vec();
    let bytes = bytes.map_err(|error| EmulateError::File { path: built, reason: error.to_string() })?;
    if board.is_web() {
        let (code, constants) = module_sizes(&bytes);
        return Ok(Program {
            elf: kept,
            code,
            constants,
            ram: 0,
            counts: true,
            rates,
            prints: true,
            sources,
        });
    }
    let small = fs::read_to_string(firmware.join(format!("boards/{}.x", board.name)));
    let counts = counts && !small.unwrap_or_default().contains("LENGTH = 16K");
    let sizes = sections(&bytes);
    let sum = |keep: fn(&Section) -> bool| sizes.iter().filter(|&s| keep(s)).map(|s| s.bytes).sum();
    Ok(Program {
        elf: kept,
        code: sum(|s| s.kind == Kind::Code),
        constants: sum(|s| matches!(s.kind, Kind::Constants | Kind::Initialised)),
        ram: sum(|s| matches!(s.kind, Kind::Initialised | Kind::Zeroed)),
        counts,
        rates,
        prints: false,
        sources,
    })
}

/// The argument that makes cargo use a compiler with this target; see scripts/targets.
fn toolchain(firmware: &Path, target: &str) -> Result<Option<String>, EmulateError> {
    let script = firmware.join("../scripts/targets");
    let Ok(output) = Command::new(script).args(["--toolchain", target]).stdin(Stdio::null()).output() else {
        return Ok(None); // no script here: whatever cargo there is
    };
    if !output.status.success() {
        return Err(EmulateError::Target { target: target.to_owned() });
    }
    Ok(Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .filter(|argument| !argument.is_empty()))
}

fn reason_of_failure(board: &Board, shape: &Shape, log: &str) -> EmulateError {
    if log.contains("can't find crate for `core`") {
        return EmulateError::Target { target: board.target.clone() };
    }
    let mut lines = log.lines();
    let line = lines.clone().find(|line| line.contains("overflow") || line.contains("will not fit"));
    let line = line.or_else(|| lines.clone().find(|line| line.starts_with("error"))).or_else(|| lines.next());
    EmulateError::Build {
        board: board.name.clone(),
        network: shape.to_string(),
        reason: line.unwrap_or("no reason given").trim().trim_start_matches("= note: ").to_owned(),
    }
}

/// What to do about a program that is not there.
pub fn missing(program: &str) -> EmulateError {
    let remedy = match program {
        "cargo" => "see https://rustup.rs",
        "node" => "on Debian: apt-get install nodejs",
        "qemu-system-arm" => "on Debian: apt-get install qemu-system-arm",
        "qemu-system-riscv32" => "on Debian: apt-get install qemu-system-misc",
        _ => "it is needed to run this board",
    };
    EmulateError::Missing { program: program.to_owned(), remedy }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Constants,
    Initialised,
    Zeroed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Section {
    kind: Kind,
    bytes: u32,
}

/// The sections that are loaded, of a little-endian ELF file of 32 bits. What is set aside for stack and heap is not
/// counted; it is all the RAM that is left.
fn sections(elf: &[u8]) -> Vec<Section> {
    let half = |at: usize| elf.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u16::from_le_bytes(*b));
    let word = |at: usize| elf.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_le_bytes(*b));
    let (table, size, count, names) =
        (word(32) as usize, usize::from(half(46)), usize::from(half(48)), usize::from(half(50)));
    let names_at = word(table + names * size + 16) as usize;
    let name = |header: usize| {
        let start = names_at + word(header) as usize;
        elf.get(start..).unwrap_or(&[]).split(|&byte| byte == 0).next().unwrap_or(&[])
    };
    const WRITE: u32 = 1;
    const ALLOC: u32 = 2;
    const EXECUTE: u32 = 4;
    const NO_BITS: u32 = 8;
    let headers = (0..count).map(|number| table + number * size);
    let loaded = headers.filter(|&at| word(at + 8) & ALLOC != 0 && !matches!(name(at), b".stack" | b".heap"));
    loaded
        .map(|at| {
            let flags = word(at + 8);
            let kind = match word(at + 4) {
                NO_BITS => Kind::Zeroed,
                _ if flags & EXECUTE != 0 => Kind::Code,
                _ if flags & WRITE != 0 => Kind::Initialised,
                _ => Kind::Constants,
            };
            Section { kind, bytes: word(at + 20) }
        })
        .collect()
}

/// Bytes of code and of data of a WebAssembly module; names and debug information, which no engine needs, are not counted.
fn module_sizes(module: &[u8]) -> (u32, u32) {
    const CUSTOM: u8 = 0;
    const DATA: u8 = 11;
    let (mut code, mut data) = (0usize, 0usize);
    let mut rest = module.get(8..).unwrap_or(&[]); // behind magic and version
    while let Some((&section, after)) = rest.split_first() {
        let Some((length, body)) = split_length(after) else { break };
        match section {
            CUSTOM => {}
            DATA => data += length,
            _ => code += length,
        }
        rest = body.get(length..).unwrap_or(&[]);
    }
    (code as u32, data as u32)
}

/// A length in LEB128, seven bits a byte, and what is behind it.
fn split_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let end = bytes.iter().take(5).position(|byte| byte & 0x80 == 0)?;
    let (length, rest) = bytes.split_at_checked(end + 1)?;
    Some((length.iter().rev().fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7F)), rest))
}

#[cfg(test)]
mod tests {
    use super::module_sizes;

    #[test]
    fn debug_information_of_a_module_is_not_counted() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend([1, 2, 7, 7]); // types
        module.extend([10, 0x83, 0x01]); // code, 131 bytes
        module.extend([0; 131]);
        module.extend([11, 3, 1, 2, 3]);
        module.extend([0, 4, 9, 9, 9, 9]);
        assert_eq!(module_sizes(&module), (133, 3));
        assert_eq!(module_sizes(&module[..9]), (0, 0));
        assert_eq!(module_sizes(b""), (0, 0));
    }
}
