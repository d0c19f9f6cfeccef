//! A trained network as the firmware reads it from flash; the layout is in firmware/src/model.rs.

use super::Shape;
use crate::experiment::saved::{Header, Saved};
use crate::experiment::{Kind, Plan};
use crate::learner::Stored;
use apical_core::formats::ERROR_FRACTION;
use apical_core::tables::psp::Kernel;

/// Of the layout.
const VERSION: u16 = 2;

/// The network of a file of weights, as a device takes it.
///
/// # Errors
/// Why no device would.
pub fn shape(header: &Header) -> Result<(Shape, Plan), String> {
    let (plan, kind) = header.plan()?;
    if kind != Kind::Core {
        return Err("the network learnt in f64; a device takes those of `--arithmetic core`".to_owned());
    }
    if !(2..=3).contains(&plan.sizes.len()) {
        return Err(format!("{} hidden layers; the firmware has room for one", plan.sizes.len() - 2));
    }
    if plan.kernel != Kernel::Scaled {
        return Err("the firmware has the scaled synaptic kernel only (--kernel scaled)".to_owned());
    }
    Ok((Shape { sizes: plan.sizes.clone(), width: plan.width }, plan))
}

/// The bytes for flash.
///
/// # Errors
/// Why no device would take them.
pub fn bytes(saved: &Saved) -> Result<Vec<u8>, String> {
    let (shape, _) = shape(&saved.header)?;
    let (pixels, outputs) = (shape.sizes[0], shape.sizes[shape.sizes.len() - 1]);
    let hidden = if shape.sizes.len() == 3 { shape.sizes[1] } else { 0 };
    let mut bytes = b"APNT".to_vec();
    bytes.extend(VERSION.to_le_bytes());
    let errors = shape.width.errors();
    bytes.extend(u16::from(if errors == ERROR_FRACTION { 0 } else { errors }).to_le_bytes());
    [pixels, hidden, outputs].iter().for_each(|&size| bytes.extend((size as u32).to_le_bytes()));
    bytes.extend(saved.header.seed.to_le_bytes());
    for format in [false, true].map(|is_output| shape.width.of(is_output)) {
        bytes.extend([format.bits, format.fraction as u8]);
    }
    let formats = shape.width.each(saved.layers.len());
    for ((layer, units), format) in saved.layers.iter().zip(&shape.sizes[1..]).zip(formats) {
        write_layer(&mut bytes, layer, *units, format.bits);
    }
    Ok(bytes)
}

fn write_layer(bytes: &mut Vec<u8>, layer: &Stored, units: usize, bits: u8) {
    let weights = |bytes: &mut Vec<u8>, weights: &[i64]| {
        for &weight in weights {
            match bits {
                16 => bytes.extend((weight as u16 ^ 0x8000).to_le_bytes()),
                _ => bytes.push(weight as u8),
            }
        }
        pad(bytes);
    };
    weights(bytes, &layer.weights);
    if bits == 16 {
        for column in layer.weights.chunks(units) {
            let bound = column.iter().map(|weight| weight.unsigned_abs()).max().unwrap_or(0);
            bytes.extend((bound as u16).to_le_bytes());
        }
        pad(bytes);
    }
    layer.bias.iter().for_each(|&bias| bytes.extend((bias as i16).to_le_bytes()));
    pad(bytes);
    weights(bytes, &layer.feedback);
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}
