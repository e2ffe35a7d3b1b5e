//! Compressed texts for tests.

#![allow(unreachable_pub, reason = "the tests are crates of their own")]

use std::io::Write;

pub fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).expect("a write to memory succeeds");
    encoder.finish().expect("a write to memory succeeds")
}

pub fn zstandard(text: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
}
