#!/usr/bin/env python3
"""Scores speech after a bad network: MOS-LQO by PESQ wideband (ITU-T P.862.2).

Reads pairs of WAV files (24 kHz, mono, 16 bit), what was said and what was heard, a tab between them, one pair on each
line; writes one score for each, 1.0 to 4.64.
"""

import sys
import wave

import numpy
from pesq import NoUtterancesError, pesq

RATE = 16_000
# PESQ locates speech by the silence around it.
AROUND = numpy.zeros(RATE // 2)


def read(path):
    with wave.open(path) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2), path
        samples = numpy.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    return samples / 32768


def to_16_khz(samples):
    """Drops what is above 8 kHz, and takes two samples where there were three."""
    samples = samples[: len(samples) // 3 * 3]
    count = len(samples) * 2 // 3
    return numpy.fft.irfft(numpy.fft.rfft(samples)[: count // 2 + 1], count) * 2 / 3


def score(said, heard):
    said, heard = (numpy.concatenate([AROUND, to_16_khz(read(path)), AROUND]) for path in (said, heard))
    try:
        return pesq(RATE, said, heard, "wb")
    except NoUtterancesError:
        return 1.0


for line in sys.stdin:
    print(f"{score(*line.rstrip().split(chr(9))):.3f}", flush=True)
