//! WAV files of 24 kHz, mono, 16 bit.

use crate::RATE;
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use std::io::Cursor;
use std::path::Path;

const SPEC: WavSpec =
    WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };

/// The samples of a WAV file.
pub fn parse(bytes: &[u8]) -> Result<Vec<i16>, hound::Error> {
    let mut reader = WavReader::new(Cursor::new(bytes))?;
    if reader.spec() != SPEC {
        return Err(hound::Error::FormatError("not 24 kHz, mono, 16 bit"));
    }
    reader.samples().collect()
}

/// Writes samples as a WAV file.
pub fn write(path: &Path, samples: &[i16]) -> Result<(), hound::Error> {
    let mut writer = WavWriter::create(path, SPEC)?;
    for sample in samples {
        writer.write_sample(*sample)?;
    }
    writer.finalize()
}
