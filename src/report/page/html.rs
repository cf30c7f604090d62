//! Markup in which every text that is not written in this program is escaped: there is no way to put one in as it is.

use crate::report::words::escaped;

/// Markup that is whole and safe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Markup(String);

/// Attributes of an element: names are ours, values are escaped.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Markup {
    /// Nothing.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// Markup that this program says itself.
    pub(super) fn fixed(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    /// A chart, which escapes its own texts.
    pub(super) fn chart(svg: String) -> Self {
        Self(svg)
    }

    /// This and then that.
    pub(super) fn and(mut self, more: impl Into<Self>) -> Self {
        self.0.push_str(&more.into().0);
        self
    }

    /// Characters that are read, without tags.
    pub(super) fn chars(&self) -> usize {
        let pieces = self.0.split('<').map(|piece| piece.split('>').next_back());
        pieces.flatten().map(|text| text.chars().count()).sum()
    }

    /// The text of the markup.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    /// Pieces with markup between them.
    pub(super) fn joined(pieces: impl IntoIterator<Item = Self>, between: &'static str) -> Self {
        let mut all = Self::none();
        for (place, piece) in pieces.into_iter().enumerate() {
            if place > 0 {
                all.0.push_str(between);
            }
            all.0.push_str(&piece.0);
        }
        all
    }
}

impl From<&str> for Markup {
    fn from(text: &str) -> Self {
        Self(escaped(text))
    }
}

impl From<&String> for Markup {
    fn from(text: &String) -> Self {
        Self(escaped(text))
    }
}

impl From<String> for Markup {
    fn from(text: String) -> Self {
        Self(escaped(&text))
    }
}

impl FromIterator<Self> for Markup {
    fn from_iter<T: IntoIterator<Item = Self>>(pieces: T) -> Self {
        Self::joined(pieces, "")
    }
}

/// An element.
pub(super) fn el(
    tag: &'static str,
    attributes: Attributes<'_>,
    inner: impl Into<Markup>,
) -> Markup {
    let mut text = format!("<{tag}");
    for (name, value) in attributes {
        text.push_str(&format!(" {name}=\"{}\"", escaped(value)));
    }
    text.push('>');
    text.push_str(&inner.into().0);
    text.push_str(&format!("</{tag}>"));
    Markup(text)
}

/// Text of the books, which is in English whatever the page's language is.
pub(super) fn english(text: &str) -> Markup {
    el("span", &[("lang", "en")], text)
}

/// A link to another place of the page.
pub(super) fn link(id: &str, inner: impl Into<Markup>) -> Markup {
    el("a", &[("href", &format!("#{id}"))], inner)
}

/// A heading of a table.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) label: String,
    /// Whether what stands below is numbers.
    pub(super) is_number: bool,
}

/// A heading above text.
pub(super) fn head(label: &str) -> Head {
    Head {
        label: label.to_owned(),
        is_number: false,
    }
}

/// A heading above numbers.
pub(super) fn number(label: &str) -> Head {
    Head {
        label: label.to_owned(),
        is_number: true,
    }
}

/// A table: the first cell of each row is its heading.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    pub(super) class: &'static str,
    pub(super) caption: Markup,
    pub(super) heads: Vec<Head>,
    pub(super) rows: Vec<Row>,
}

/// A row of a table.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    /// Where links lead, if any do.
    pub(super) id: String,
    pub(super) cells: Vec<Markup>,
    /// Class of each cell, where it has one of its own.
    pub(super) classes: Vec<&'static str>,
}

impl From<Vec<Markup>> for Row {
    fn from(cells: Vec<Markup>) -> Self {
        Self {
            cells,
            ..Self::default()
        }
    }
}

impl Grid {
    /// The table in a region that scrolls by itself, so that the page never does sideways.
    pub(super) fn markup(self, label: &str) -> Markup {
        let Self {
            class,
            caption,
            heads,
            rows,
        } = self;
        let numbers: Vec<bool> = heads.iter().map(|head| head.is_number).collect();
        let of = |place: usize| numbers.get(place).copied().unwrap_or(false);
        let columns = heads.into_iter().map(|head| {
            let class = if head.is_number { "n" } else { "" };
            el("th", &[("scope", "col"), ("class", class)], head.label)
        });
        let header = el("thead", &[], el("tr", &[], columns.collect::<Markup>()));
        let rows = rows.into_iter().map(|row| {
            let Row { id, cells, classes } = row;
            let cells = cells.into_iter().enumerate().map(|(place, cell)| {
                let own = classes.get(place).copied().unwrap_or("");
                let class = match (of(place), own) {
                    (true, "") => "n".to_owned(),
                    (true, own) => format!("n {own}"),
                    (false, own) => own.to_owned(),
                };
                match place {
                    0 => el("th", &[("scope", "row"), ("class", &class)], cell),
                    _ => el("td", &[("class", &class)], cell),
                }
            });
            let cells: Markup = cells.collect();
            match id.as_str() {
                "" => el("tr", &[], cells),
                id => el("tr", &[("id", id)], cells),
            }
        });
        let body = el("tbody", &[], rows.collect::<Markup>());
        let table = el(
            "table",
            &[("class", class)],
            el("caption", &[], caption).and(header).and(body),
        );
        scrolling(label, table)
    }
}

/// A region that scrolls by itself and can be reached by keyboard.
pub(super) fn scrolling(label: &str, inner: Markup) -> Markup {
    el(
        "div",
        &[
            ("class", "scroll"),
            ("role", "region"),
            ("tabindex", "0"),
            ("aria-label", label),
        ],
        inner,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_attributes_cannot_become_markup() {
        let hostile = "\"><script>alert(1)</script>";
        let whole = el("p", &[("title", hostile)], hostile)
            .and(link(hostile, hostile))
            .and(english(hostile))
            .into_text();
        assert!(!whole.contains("<script"), "{whole}");
        assert_eq!(whole.matches("&lt;script&gt;").count(), 5);
        assert_eq!(
            el("b", &[], Markup::fixed("<i></i>")).into_text(),
            "<b><i></i></b>"
        );
    }

    #[test]
    fn tables_have_caption_and_headings_with_scope() {
        let grid = Grid {
            class: "plain",
            caption: "What & where".into(),
            heads: vec![head("Place"), number("Amount")],
            rows: vec![Row {
                id: "x".to_owned(),
                cells: vec!["here".into(), "1".into()],
                classes: vec!["", "h1"],
            }],
        };
        let text = grid.markup("label").into_text();
        for part in [
            "<caption>What &amp; where</caption>",
            r#"<th scope="col" class="n">Amount</th>"#,
            r#"<tr id="x"><th scope="row" class="">here</th><td class="n h1">1</td></tr>"#,
            r#"role="region" tabindex="0" aria-label="label""#,
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
