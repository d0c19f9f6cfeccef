//! The firmware's log: defmt frames, whose texts are in the program's ELF file and not on the device.

use std::io::{BufRead, BufReader, Read};

use defmt_decoder::{DecodeError, Table};

use super::EmulateError;
use super::firmware::Program;

/// The texts of one program; none where it prints them itself.
pub struct Decoder(Option<Table>);

impl Decoder {
    /// Reads them.
    ///
    /// # Errors
    /// [`EmulateError::Log`], [`EmulateError::File`].
    pub fn of(program: &Program) -> Result<Self, EmulateError> {
        if program.prints {
            return Ok(Self(None));
        }
        let path = || program.elf.clone();
        let elf = std::fs::read(&program.elf);
        let elf = elf.map_err(|error| EmulateError::File { path: path(), reason: error.to_string() })?;
        match Table::parse(&elf) {
            Ok(Some(table)) => Ok(Self(Some(table))),
            Ok(None) => Err(EmulateError::Log { path: path(), reason: "it does not log".to_owned() }),
            Err(error) => Err(EmulateError::Log { path: path(), reason: error.to_string() }),
        }
    }

    /// Calls `see` with each line, until the device falls silent; what cannot be decoded is skipped.
    pub fn lines(&self, mut log: impl Read, mut see: impl FnMut(&str)) {
        let Some(table) = &self.0 else {
            return BufReader::new(log).lines().map_while(Result::ok).for_each(|line| see(&line));
        };
        let mut stream = table.new_stream_decoder();
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = log.read(&mut bytes) {
            stream.received(&bytes[..count]);
            loop {
                match stream.decode() {
                    Ok(frame) => see(&frame.display_message().to_string()),
                    Err(DecodeError::Malformed) => {}
                    Err(DecodeError::UnexpectedEof) => break,
                }
            }
        }
    }
}
