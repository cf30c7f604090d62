//! LIKE of T-SQL: `%`, `_`, sets in brackets and an escape character. Pure; linear in the text for one `%`.

/// LIKE with `%`, `_`, `[a-z]`, `[^a-z]` and an escape character.
pub fn like(text: &str, pattern: &str, escape: Option<char>, binary: bool) -> bool {
    let fold = |s: &str| {
        if binary {
            s.chars().collect()
        } else {
            s.to_uppercase().chars().collect::<Vec<char>>()
        }
    };
    let escape = escape.map(|e| {
        if binary {
            e
        } else {
            e.to_uppercase().next().unwrap_or(e)
        }
    });
    let pattern = compile(&fold(pattern), escape);
    let text = fold(text);
    let (mut t, mut p) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        let c = text.get(t).copied().unwrap_or_default();
        match pattern.get(p) {
            Some(Piece::Any) => {
                star = Some((p, t));
                p += 1;
            }
            Some(piece) if piece.matches(c) => {
                t += 1;
                p += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    t = from + 1;
                    p = at + 1;
                }
                None => return false,
            },
        }
    }
    pattern
        .get(p..)
        .unwrap_or_default()
        .iter()
        .all(|piece| matches!(piece, Piece::Any))
}

enum Piece {
    Any,
    One,
    Char(char),
    Set(bool, Vec<(char, char)>),
}

impl Piece {
    fn matches(&self, c: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Char(own) => *own == c,
            Self::Set(inside, ranges) => {
                ranges.iter().any(|(a, b)| (*a..=*b).contains(&c)) == *inside
            }
        }
    }
}

fn compile(pattern: &[char], escape: Option<char>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let [c, tail @ ..] = rest {
        rest = tail;
        if Some(*c) == escape {
            if let [literal, tail @ ..] = rest {
                pieces.push(Piece::Char(*literal));
                rest = tail;
            }
            continue;
        }
        match (c, rest.iter().position(|c| *c == ']')) {
            ('%', _) => pieces.push(Piece::Any),
            ('_', _) => pieces.push(Piece::One),
            ('[', Some(end)) => {
                let (set, tail) = (
                    rest.get(..end).unwrap_or_default(),
                    rest.get(end + 1..).unwrap_or_default(),
                );
                let (inside, mut set) = match set {
                    ['^', set @ ..] => (false, set),
                    set => (true, set),
                };
                let mut ranges = Vec::new();
                loop {
                    match set {
                        [a, '-', b, more @ ..] => {
                            ranges.push((*a, *b));
                            set = more;
                        }
                        [a, more @ ..] => {
                            ranges.push((*a, *a));
                            set = more;
                        }
                        [] => break,
                    }
                }
                pieces.push(Piece::Set(inside, ranges));
                rest = tail;
            }
            _ => pieces.push(Piece::Char(*c)),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn patterns_match_as_in_sql_server() {
        for (text, pattern, expected) in [
            ("EC_NG_USD", "%usd%", true),
            ("abc", "a_c", true),
            ("abc", "a[a-c]c", true),
            ("abc", "a[^a-c]c", false),
            ("a%c", "a[%]c", true),
            ("", "%", true),
            ("abc", "", false),
            ("aaab", "%aab", true),
        ] {
            assert_eq!(
                like(text, pattern, None, false),
                expected,
                "{text} like {pattern}"
            );
        }
        assert!(like("50%", "50!%", Some('!'), false) && !like("50x", "50!%", Some('!'), false));
        assert!(!like("abc", "ABC", None, true));
    }
}
