//! Seeded mutations of a byte stream: flipped bits, lengths of 0, 1 and the highest, cuts, repeats, gaps, splices.

use std::collections::VecDeque;
use std::ops::Range;

/// Equal seeds throw equal numbers.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// SplitMix64.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// What happens to a stream at one place.
#[derive(Debug, Clone)]
pub(super) enum Edit {
    Flip(u8),
    /// The next bytes become these.
    Overwrite(Vec<u8>),
    Insert(Vec<u8>),
    /// So many bytes are left out.
    Skip(usize),
    /// The last so many bytes come again.
    Repeat(usize),
    /// So many of the next bytes become those from an earlier place.
    Splice {
        from: usize,
        len: usize,
    },
    /// The stream ends.
    Cut,
}

impl Edit {
    fn any(dice: &mut Dice, at: usize) -> Self {
        let len = 1 + dice.below(40);
        match dice.below(10) {
            0..=3 => Self::Flip(1 << dice.below(8)),
            4 | 5 => {
                let byte = [0, 1, 0x7F, 0x80, 0xFE, 0xFF][dice.below(6)];
                let width = [1, 2, 4, 8][dice.below(4)];
                let mut bytes = vec![byte; width];
                if byte == 1 {
                    bytes[1..].fill(0);
                }
                Self::Overwrite(bytes)
            }
            6 => Self::Insert((0..len).map(|_| dice.next() as u8).collect()),
            7 => Self::Skip(len),
            8 if dice.one_in(3) => Self::Cut,
            8 => Self::Repeat(len * (1 + dice.below(20))),
            _ => Self::Splice {
                from: dice.below(at),
                len: len * (1 + dice.below(20)),
            },
        }
    }
}

/// Mutates a stream that comes in pieces.
#[derive(Debug, Clone)]
pub(super) struct Mutation {
    /// By place, the last one first.
    edits: Vec<(usize, Edit)>,
    seen: Vec<u8>,
    overwrite: VecDeque<u8>,
    skip: usize,
}

impl Mutation {
    pub(super) fn of(mut edits: Vec<(usize, Edit)>) -> Self {
        edits.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        Self {
            edits,
            seen: Vec::new(),
            overwrite: VecDeque::new(),
            skip: 0,
        }
    }

    /// One to three edits of a stream of `len` bytes; every second lies in a range that matters.
    pub(super) fn any(dice: &mut Dice, len: usize, ranges: &[Range<usize>]) -> Self {
        let count = 1 + dice.below(2) * dice.below(3);
        let edits = (0..count).map(|_| {
            let at = if ranges.is_empty() || dice.one_in(2) {
                dice.below(len)
            } else {
                let range = &ranges[dice.below(ranges.len())];
                range.start + dice.below(range.len())
            };
            (at, Edit::any(dice, at))
        });
        Self::of(edits.collect())
    }

    /// Appends what becomes of the next piece; `false` when the stream ends.
    pub(super) fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) -> bool {
        for byte in piece {
            let mut byte = *byte;
            while let Some((_, edit)) = self.edits.pop_if(|(at, _)| *at == self.seen.len()) {
                match edit {
                    Edit::Flip(bits) => byte ^= bits,
                    Edit::Overwrite(bytes) => self.overwrite.extend(bytes),
                    Edit::Insert(bytes) => out.extend(bytes),
                    Edit::Skip(len) => self.skip += len,
                    Edit::Repeat(len) => {
                        let start = self.seen.len().saturating_sub(len);
                        out.extend_from_slice(&self.seen[start..]);
                    }
                    Edit::Splice { from, len } => {
                        let end = self.seen.len().min(from + len);
                        self.overwrite.extend(&self.seen[from.min(end)..end]);
                    }
                    Edit::Cut => return false,
                }
            }
            self.seen.push(byte);
            let byte = self.overwrite.pop_front().unwrap_or(byte);
            if self.skip > 0 {
                self.skip -= 1;
            } else {
                out.push(byte);
            }
        }
        true
    }

    /// Mutates a whole stream.
    pub(super) fn apply(mut self, stream: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.feed(stream, &mut out);
        out
    }
}

#[test]
fn edits_do_what_they_say_and_seeds_repeat() {
    let edits = vec![
        (1, Edit::Flip(1)),
        (2, Edit::Skip(1)),
        (4, Edit::Insert(vec![9])),
        (5, Edit::Repeat(2)),
        (6, Edit::Splice { from: 0, len: 2 }),
        (9, Edit::Overwrite(vec![7])),
        (11, Edit::Cut),
    ];
    let stream: Vec<u8> = (10..30).collect();
    let out = Mutation::of(edits).apply(&stream);
    assert_eq!(out, [10, 10, 13, 9, 14, 13, 14, 15, 10, 10, 18, 7, 20]);
    let any = |seed| Mutation::any(&mut Dice(seed), 20, &[]).apply(&stream);
    assert_eq!(any(5), any(5));
    assert!((0..50).any(|seed| any(seed) != stream));
}
