//! One IDX file of unsigned bytes, read with suspicion.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, ErrorKind, Read},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;

use super::DataError;
use crate::aligned::Aligned;

/// The most bytes a file may announce after its header: 1 GiB, twice the largest EMNIST split.
///
/// It also bounds what a small gzip file can grow to.
pub const MAX_BYTES: u64 = 1 << 30;

/// The two bytes every gzip file starts with; an IDX file starts with two zeros.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The first word of an IDX file: its third byte says unsigned bytes, its fourth how many dimensions.
pub(super) const fn magic(dimensions: usize) -> u32 {
    0x0800 | dimensions as u32
}

/// Reads the dimensions of an IDX file and the bytes they announce, no more and no fewer.
pub(super) fn read<const DIMENSIONS: usize>(
    path: &Path,
) -> Result<([usize; DIMENSIONS], Aligned<u8>), DataError> {
    let mut source = Source::open(path)?;
    source.expect_magic(magic(DIMENSIONS))?;
    let mut shape = [0; DIMENSIONS];
    for size in &mut shape {
        *size = source.word()?;
    }
    let expected = announced(path, &shape)?;
    let bytes = source.rest(expected)?;
    Ok((shape.map(|size| size as usize), bytes))
}

/// The number of bytes a header announces, if that is a number to believe.
fn announced(path: &Path, shape: &[u32]) -> Result<u64, DataError> {
    let total = shape.iter().try_fold(1_u64, |product, &size| product.checked_mul(size.into()));
    match total {
        // A product may overflow before it meets its zero, so zeros are asked for first.
        _ if shape.contains(&0) => Err(DataError::Empty { path: path.into(), shape: product(shape) }),
        Some(total) if total <= MAX_BYTES => Ok(total),
        _ => Err(DataError::TooLarge { path: path.into(), shape: product(shape), limit: MAX_BYTES }),
    }
}

/// Dimensions as they are said: `60000 x 28 x 28`.
fn product(shape: &[u32]) -> String {
    let sizes: Vec<String> = shape.iter().map(u32::to_string).collect();
    sizes.join(" x ")
}

/// The decoded bytes of a file, and how many of them were taken so far.
struct Source<'a> {
    path: &'a Path,
    reader: Box<dyn Read>,
    gzip: bool,
    taken: u64,
}

impl<'a> Source<'a> {
    /// Opens a file and looks whether it is gzip.
    fn open(path: &'a Path) -> Result<Self, DataError> {
        let unreadable = |cause| DataError::Unreadable { path: path.into(), cause };
        // Opening a pipe would wait for somebody to write into it.
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(DataError::NotAFile { path: path.into() });
        }
        let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
        let gzip = file.fill_buf().map_err(unreadable)?.starts_with(&GZIP);
        let reader: Box<dyn Read> = match gzip {
            true => Box::new(MultiGzDecoder::new(file)),
            false => Box::new(file),
        };
        Ok(Self { path, reader, gzip, taken: 0 })
    }

    /// Takes the magic number and compares it.
    fn expect_magic(&mut self, expected: u32) -> Result<(), DataError> {
        let found = self.word()?;
        if found == expected {
            return Ok(());
        }
        Err(DataError::WrongMagic { path: self.path.into(), expected, found })
    }

    /// Takes a big-endian number of four bytes.
    fn word(&mut self) -> Result<u32, DataError> {
        let mut word = [0; 4];
        self.fill(&mut word)?;
        Ok(u32::from_be_bytes(word))
    }

    /// Takes the last bytes of the file and makes sure that they are the last.
    ///
    /// Memory for them is taken as they arrive. Asking for one byte more also makes the gzip decoder
    /// reach, and check, its checksum.
    fn rest(&mut self, expected: u64) -> Result<Aligned<u8>, DataError> {
        let mut bytes = Aligned::filled(0, expected as usize);
        self.fill(&mut bytes)?;
        match self.some(&mut [0]) {
            Ok(0) => Ok(bytes),
            Ok(_) => Err(DataError::TrailingBytes { path: self.path.into(), expected: self.taken - 1 }),
            Err(cause) => Err(self.fault(cause)),
        }
    }

    /// Takes as many bytes as there is room for.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), DataError> {
        let expected = self.taken + bytes.len() as u64;
        let mut room = bytes;
        while !room.is_empty() {
            match self.some(room) {
                Ok(taken @ 1..) => room = &mut room[taken..],
                Err(cause) if cause.kind() != ErrorKind::UnexpectedEof => return Err(self.fault(cause)),
                // A file that ends in the middle of a gzip stream is short, whatever its decoder calls it.
                Ok(0) | Err(_) => {
                    let found = self.taken;
                    return Err(DataError::Truncated { path: self.path.into(), expected, found });
                }
            }
        }
        Ok(())
    }

    /// Takes some bytes; none at the end.
    fn some(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.reader.read(room) {
                Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
                outcome => {
                    self.taken += *outcome.as_ref().unwrap_or(&0) as u64;
                    return outcome;
                }
            }
        }
    }

    /// Tells a damaged stream from a disk that fails.
    fn fault(&self, cause: io::Error) -> DataError {
        let path = self.path.into();
        let damage = matches!(
            cause.kind(),
            ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof
        );
        match self.gzip && damage {
            true => DataError::BadGzip { path, cause },
            false => DataError::Unreadable { path, cause },
        }
    }
}
