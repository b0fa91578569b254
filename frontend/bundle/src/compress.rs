//! The copies that go over the wire, made once instead of at every request.

use std::io::Write;

use anyhow::Result;
use flate2::{Compression, write::GzEncoder};

/// A copy that would not be smaller than the file is not made.
pub(crate) struct Copies {
    pub(crate) brotli: Option<Vec<u8>>,
    pub(crate) gzip: Option<Vec<u8>>,
}

impl Copies {
    pub(crate) fn of(file: &[u8]) -> Result<Self> {
        let smaller = |copy: Vec<u8>| (copy.len() < file.len()).then_some(copy);
        Ok(Self {
            brotli: smaller(brotli(file)?),
            gzip: smaller(gzip(file)?),
        })
    }
}

fn brotli(mut file: &[u8]) -> Result<Vec<u8>> {
    let mut copy = Vec::new();
    let params = brotli::enc::BrotliEncoderParams {
        quality: 11,
        size_hint: file.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut file, &mut copy, &params)?;
    Ok(copy)
}

fn gzip(file: &[u8]) -> Result<Vec<u8>> {
    let mut copy = GzEncoder::new(Vec::new(), Compression::best());
    copy.write_all(file)?;
    Ok(copy.finish()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn both_copies_unpack_to_the_file() {
        let file = "one panel, one truth; ".repeat(50);
        let copies = Copies::of(file.as_bytes()).unwrap();
        let (mut from_brotli, mut from_gzip) = (Vec::new(), String::new());
        brotli::BrotliDecompress(&mut copies.brotli.unwrap().as_slice(), &mut from_brotli).unwrap();
        flate2::read::GzDecoder::new(copies.gzip.unwrap().as_slice())
            .read_to_string(&mut from_gzip)
            .unwrap();
        assert_eq!(from_brotli, file.as_bytes());
        assert_eq!(from_gzip, file);
    }

    #[test]
    fn what_does_not_shrink_gets_no_copy() {
        let copies = Copies::of(&[7]).unwrap();
        assert!(copies.brotli.is_none() && copies.gzip.is_none());
    }
}
