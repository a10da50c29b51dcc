//! WAV files, mono and 16 bit: ours are of 24 kHz, a telephone's recordings of 8 kHz.

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

/// Reads a WAV file of [`RATE`] or of a rate that divides it, and repeats samples up to [`RATE`].
pub fn read(path: &Path) -> Result<Vec<i16>, hound::Error> {
    let mut reader = WavReader::open(path)?;
    let spec = reader.spec();
    if (WavSpec { sample_rate: RATE, ..spec }) != SPEC || !RATE.is_multiple_of(spec.sample_rate) {
        return Err(hound::Error::FormatError("not mono, 16 bit, of a rate that divides 24 kHz"));
    }
    let times = (RATE / spec.sample_rate) as usize;
    let recorded = reader.samples::<i16>().collect::<Result<Vec<_>, _>>()?;
    Ok(recorded.into_iter().flat_map(|sample| std::iter::repeat_n(sample, times)).collect())
}

/// Writes samples as a WAV file.
pub fn write(path: &Path, samples: &[i16]) -> Result<(), hound::Error> {
    let mut writer = WavWriter::create(path, SPEC)?;
    for sample in samples {
        writer.write_sample(*sample)?;
    }
    writer.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clips, hearing};

    #[test]
    fn a_sentence_is_found_in_a_telephones_recording() {
        let clip = clips::caller_question();
        let file = std::env::temp_dir().join(format!("telephone-{}.wav", std::process::id()));
        let mut writer =
            WavWriter::create(&file, WavSpec { sample_rate: 8_000, ..SPEC }).expect("the folder is writable");
        let silence = std::iter::repeat_n(0, 4_000);
        for sample in silence.chain(clip.samples.chunks(3).map(|three| three[0])) {
            writer.write_sample(sample).expect("the file is writable");
        }
        writer.finalize().expect("the file is writable");

        let recording = read(&file).expect("the rate divides 24 kHz");
        std::fs::remove_file(&file).expect("the file is ours");

        let found = hearing::find(&clip.samples, &recording).expect("the recording is longer than the clip");
        assert!(found.correlation > 0.95 && found.at.abs_diff(12_000) < crate::FRAME, "{found:?}");
    }
}
