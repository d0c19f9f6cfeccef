//! Links for the board named in `BOARD` and sizes the network as `NETWORK` says (`784-100-10:16`: sizes and formats,
//! these in the notation of `apical train --weights`; by default the board's own). It learns at `RATE` (`0.21,0.1`: one η,
//! or one for each layer; by default 0.21).

use std::{env, fs, path::PathBuf};

fn main() {
    for variable in ["BOARD", "NETWORK", "RATE", "MODEL", "GO_ON", "COUNTS"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    println!("cargo:rerun-if-changed=boards");
    let target = env::var("TARGET").unwrap();
    let board = env::var("BOARD").expect("BOARD names a line of boards/boards.txt");
    let table = fs::read_to_string("boards/boards.txt").unwrap();
    let mut lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let line = lines
        .find(|words| words.first() == Some(&board.as_str()))
        .unwrap_or_else(|| panic!("{board} is not in boards/boards.txt"));
    assert_eq!(line[1], target, "{board} is not a board of this target");
    println!("cargo:rustc-env=BOARD={board}");
    println!("cargo:rustc-env=SYSTICK_HZ={}", line[2]);
    let network = env::var("NETWORK").ok().filter(|network| !network.is_empty());
    let model = env::var("MODEL").ok().filter(|model| !model.is_empty()).map(|path| {
        println!("cargo:rerun-if-changed={path}");
        fs::read(&path).unwrap_or_else(|error| panic!("MODEL={path}: {error}"))
    });
    let network = model.as_deref().map(shape).or(network).unwrap_or_else(|| line[3].to_owned());
    println!("cargo:rustc-env=NETWORK={network}");

    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    // Armv7E-M has the DSP instructions, and of Armv8-M the Cortex-M33 of .cargo/config.toml.
    let dsp = target.starts_with("thumbv7em") || target.starts_with("thumbv8m.main");
    fs::write(out.join("sizes.rs"), sizes(&network, !dsp) + &rates()).unwrap();
    let mut model = model.unwrap_or_default();
    if !dsp {
        offset_bytes(&mut model);
    }
    fs::write(out.join("model.bin"), model).unwrap();
    let memory = fs::read_to_string(format!("boards/{board}.x")).unwrap_or_default();
    // Counting what is lost takes 0.9 KB a layer and keeps from the kernels in assembly: only where it is asked for and
    // there is room. The web has both.
    println!("cargo:rustc-check-cfg=cfg(counts, go_on, hidden, thumb1, thumb2, dsp, armv8m)");
    if target.starts_with("thumb") && !target.starts_with("thumbv6m") {
        println!("cargo:rustc-cfg=thumb2");
    }
    if target.starts_with("thumbv6m") {
        println!("cargo:rustc-cfg=thumb1");
    }
    if dsp {
        println!("cargo:rustc-cfg=dsp");
    }
    if target.starts_with("thumbv8m") {
        println!("cargo:rustc-cfg=armv8m");
    }
    let asked = env::var("COUNTS").is_ok_and(|value| value == "1") && !memory.contains("LENGTH = 16K");
    if asked || target.starts_with("wasm32") {
        println!("cargo:rustc-cfg=counts");
    }
    if env::var("GO_ON").is_ok_and(|value| value == "1") {
        println!("cargo:rustc-cfg=go_on");
    }
    if network.matches('-').count() == 2 {
        println!("cargo:rustc-cfg=hidden");
    }

    if target.starts_with("wasm32") {
        println!("cargo:rustc-link-arg-bins=--no-entry");
        for name in ["image", "pixels", "seed", "train", "test", "digest", "fired", "saturated", "layers"] {
            println!("cargo:rustc-link-arg-bins=--export={name}");
        }
        return;
    }
    fs::write(out.join("memory.x"), memory).unwrap();
    println!("cargo:rustc-link-search={}", out.display());
    if target.starts_with("thumb") {
        // Without paging there is no reason to align sections to pages; doing so would waste flash.
        println!("cargo:rustc-link-arg-bins=--nmagic");
        // The names of a device's interrupts, of which there are none.
        fs::write(out.join("device.x"), "").unwrap();
    } else {
        println!("cargo:rustc-link-arg-bins=-Tmemory.x");
    }
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    if env::var("CARGO_FEATURE_PROVE").is_err() {
        println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
    }
}

/// The network of an exported model; see src/model.rs.
fn shape(model: &[u8]) -> String {
    assert!(
        model.starts_with(b"APNT\x02\0"),
        "MODEL is no network that this version of `apical export` wrote"
    );
    let sizes: Vec<String> = sizes_of(model).iter().filter(|&&n| n > 0).map(usize::to_string).collect();
    let [hidden, point, output, other] = model[28..32] else { unreachable!() };
    let errors = match model[6] {
        0 => String::new(),
        errors => format!("/{errors}"),
    };
    format!("{}:{hidden}:{point},{output}:{other}{errors}", sizes.join("-"))
}

/// Pixels, hidden neurons, outputs of an exported model.
fn sizes_of(model: &[u8]) -> [usize; 3] {
    [8, 12, 16].map(|at| u32::from_le_bytes(model[at..at + 4].try_into().unwrap()) as usize)
}

/// Makes 128 more of the weights of 8 bits of a model.
fn offset_bytes(model: &mut [u8]) {
    if model.is_empty() {
        return;
    }
    let ([pixels, hidden, outputs], bits) = (sizes_of(model), [model[28], model[30]].map(usize::from));
    let layers = match hidden {
        0 => vec![(pixels, outputs, 0, bits[1])],
        _ => vec![(pixels, hidden, outputs, bits[0]), (hidden, outputs, 0, bits[1])],
    };
    let mut at = 32;
    for (inputs, units, fed_back, bits) in layers {
        let (size, bounds) = (bits / 8, if bits == 16 { 2 * inputs } else { 0 });
        let parts = [
            (size * inputs * units, true),
            (bounds, false),
            (2 * units, false),
            (size * fed_back * units, true),
        ];
        for (bytes, weights) in parts {
            let change = 0x80 * u8::from(weights && bits == 8);
            model[at..at + bytes].iter_mut().for_each(|byte| *byte ^= change);
            at += bytes.next_multiple_of(4);
        }
    }
}

/// Bits of a weight, and those behind the binary point.
type Format = (u8, u8);

/// The formats in hidden layers and in the output layer that `16`, `8,16`, `8:4,5` or `8:4,16:8` stand for.
fn formats_of(text: &str) -> Option<[Format; 2]> {
    let read = |text: &str| match text.split_once(':') {
        Some((bits, point)) => Some((bits.parse().ok()?, Some(point.parse().ok()?))),
        None => Some((text.parse().ok()?, None)),
    };
    let usual = |bits, is_output| match (bits, is_output) {
        (8, false) => 4,
        (8, true) => 3,
        _ => 8,
    };
    let (hidden, output) = text.split_once(',').unwrap_or((text, text));
    let (bits, point): (u8, Option<u8>) = read(hidden)?;
    let (other, other_point) = match (read(output)?, output.contains(':')) {
        // After a binary point, a number alone is another one.
        ((point, None), false) if hidden.contains(':') => (bits, Some(point)),
        output => output.0,
    };
    Some([(bits, point.unwrap_or(usual(bits, false))), (other, other_point.unwrap_or(usual(other, true)))])
}

/// The constant that `RATE` stands for.
fn rates() -> String {
    let text = env::var("RATE").ok().filter(|rate| !rate.is_empty()).unwrap_or_else(|| "0.21".to_owned());
    let rates: Result<Vec<f64>, _> = text.split(',').map(str::parse).collect();
    let [hidden, output] = match rates.as_deref() {
        Ok(&[rate]) => [rate, rate],
        Ok(&[hidden, output]) => [hidden, output],
        _ => panic!("RATE={text} is not like 0.21 or 0.21,0.1"),
    };
    format!(
        "/// η of the hidden and of the output layer.\n\
         pub const LEARNING_RATES: [f64; 2] = [{hidden:?}, {output:?}];\n"
    )
}

/// The constants and types that `784-100-10:16` stands for.
fn sizes(network: &str, offset: bool) -> String {
    let wrong =
        || -> ! { panic!("NETWORK={network} is not like 784-100-10:16, 784-10:8 or 784-52-10:8,16/5") };
    let Some((sizes, formats)) = network.split_once(':') else { wrong() };
    let (weights, errors) = formats.split_once('/').unwrap_or((formats, "14"));
    let errors: u8 =
        errors.parse().ok().filter(|errors| (2..=14).contains(errors)).unwrap_or_else(|| wrong());
    let sizes: Vec<usize> = sizes.split('-').map(|size| size.parse().unwrap_or_else(|_| wrong())).collect();
    let (pixels, hidden, outputs) = match sizes[..] {
        [pixels, outputs] => (pixels, 0, outputs),
        [pixels, hidden, outputs] => (pixels, hidden, outputs),
        _ => wrong(),
    };
    let formats = formats_of(weights).unwrap_or_else(|| wrong());
    let [weight, output_weight] = formats.map(|(bits, point)| match bits {
        _ if !(3..=8).contains(&point) => wrong(),
        16 => "apical_core::offset::Offset16",
        8 if offset => "apical_core::offset::Offset8",
        8 => "i8",
        _ => wrong(),
    });
    format!(
        "/// Input units.\npub const PIXELS: usize = {pixels};\n\
         /// Hidden neurons; none in a network of one layer.\npub const HIDDEN: usize = {hidden};\n\
         /// Output neurons.\npub const OUTPUTS: usize = {outputs};\n\
         /// What a weight of the hidden layer is stored in.\npub type Weight = {weight};\n\
         /// What one of the output layer is stored in.\npub type OutputWeight = {output_weight};\n\
         /// Fraction bits of both.\npub const FRACTIONS: [u8; 2] = {:?};\n\
         /// Fraction bits of errors.\npub const ERROR_FRACTION: u8 = {errors};\n",
        formats.map(|(_, point)| point)
    )
}
