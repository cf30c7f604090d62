//! Charts as SVG texts that stand in a page by themselves: colours by class, a title and a description for readers who do
//! not see them, and a number beside every shape, so that neither colour nor length is the only signal.
//!
//! Geometry is whole numbers of a fixed grid; amounts are scaled exactly and rounded once, when a shape is placed.

use std::fmt::Write as _;

use super::words::escaped;

/// Width of every chart in units of its grid.
const WIDTH: i128 = 720;
/// Room for labels at the left of bars.
const LABELS: i128 = 200;
/// Room for numbers at the right of bars.
const NUMBERS: i128 = 170;
/// Height of a row of bars.
const ROW: i128 = 26;

/// What a chart is called and says, for everybody and for readers who do not see it.
#[derive(Debug, Clone)]
pub struct Caption {
    /// Unique in the page: letters, digits and hyphens.
    pub id: String,
    /// Heading.
    pub title: String,
    /// What the chart shows, in a sentence or two with its numbers.
    pub description: String,
}

/// What a bar of a waterfall stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// A level that stands on the axis.
    Level,
    /// Something that explains a part of the way.
    Explained,
    /// What nothing explains.
    Unexplained,
}

/// A bar of a waterfall.
#[derive(Debug, Clone)]
pub struct Step {
    /// Label.
    pub label: String,
    /// Its number as it is printed.
    pub shown: String,
    /// The level itself, or the change that it makes, in any one unit.
    pub value: i128,
    /// What it stands for.
    pub kind: StepKind,
}

/// A bar beside others.
#[derive(Debug, Clone)]
pub struct Bar {
    /// Label.
    pub label: String,
    /// Its number as it is printed.
    pub shown: String,
    /// Its length, in any one unit; a sign is ignored.
    pub value: i128,
}

/// A point of a line; a month without a number leaves a gap.
#[derive(Debug, Clone)]
pub struct Point {
    /// Label below the axis.
    pub label: String,
    /// Its number as it is printed.
    pub shown: String,
    /// Its height, in any one unit.
    pub value: Option<i128>,
}

/// The way from one level to another: each bar begins where the one before it ended.
#[must_use]
pub fn waterfall(caption: &Caption, steps: &[Step]) -> String {
    let mut level = 0_i128;
    let mut spans = Vec::with_capacity(steps.len());
    for step in steps {
        let (from, to) = match step.kind {
            StepKind::Level => (0, step.value),
            _ => (level, level.saturating_add(step.value)),
        };
        level = to;
        spans.push((from.min(to), from.max(to), step));
    }
    let low = spans.iter().map(|span| span.0).min().unwrap_or(0).min(0);
    let high = spans.iter().map(|span| span.1).max().unwrap_or(0).max(0);
    let axis = Axis::new(low, high, WIDTH - LABELS - NUMBERS);
    let mut body = String::new();
    for (row, (from, to, step)) in (0_i128..).zip(&spans) {
        let top = row * ROW;
        let class = match step.kind {
            StepKind::Level => "level",
            StepKind::Explained => "explained",
            StepKind::Unexplained => "unexplained",
        };
        let x = LABELS + axis.at(*from);
        let width = (axis.at(*to) - axis.at(*from)).max(2);
        bar(&mut body, (x, top, width), class);
        label(&mut body, (LABELS - 8, top), "end", &step.label);
        label(&mut body, (WIDTH, top), "end", &step.shown);
    }
    let rows = i128::try_from(steps.len()).unwrap_or_default();
    let zero = LABELS + axis.at(0);
    put(
        &mut body,
        format_args!(
            r#"<line class="axis" x1="{zero}" x2="{zero}" y1="0" y2="{}"/>"#,
            rows * ROW
        ),
    );
    framed(caption, rows * ROW, &body)
}

/// Bars that begin on one line, such as amounts by age.
#[must_use]
pub fn bars(caption: &Caption, bars: &[Bar]) -> String {
    let longest = bars
        .iter()
        .map(|bar| to_signed(bar.value.unsigned_abs()))
        .max();
    let axis = Axis::new(0, longest.unwrap_or(0), WIDTH - LABELS - NUMBERS);
    let mut body = String::new();
    for (row, one) in (0_i128..).zip(bars) {
        let top = row * ROW;
        let width = axis.at(to_signed(one.value.unsigned_abs())).max(1);
        bar(&mut body, (LABELS, top, width), "level");
        label(&mut body, (LABELS - 8, top), "end", &one.label);
        label(&mut body, (WIDTH, top), "end", &one.shown);
    }
    let rows = i128::try_from(bars.len()).unwrap_or_default();
    framed(caption, rows * ROW, &body)
}

/// A line over months, with its zero.
#[must_use]
pub fn trend(caption: &Caption, points: &[Point]) -> String {
    const HEIGHT: i128 = 160;
    let values = || points.iter().filter_map(|point| point.value);
    let low = values().min().unwrap_or(0).min(0);
    let high = values().max().unwrap_or(0).max(0);
    let axis = Axis::new(low, high, HEIGHT - 40);
    let count = i128::try_from(points.len()).unwrap_or(1).max(1);
    let mut body = String::new();
    let zero = HEIGHT - 20 - axis.at(0);
    put(
        &mut body,
        format_args!(r#"<line class="axis" x1="0" x2="{WIDTH}" y1="{zero}" y2="{zero}"/>"#),
    );
    let mut before: Option<(i128, i128)> = None;
    for (place, point) in (0_i128..).zip(points) {
        let x = WIDTH * (2 * place + 1) / (2 * count);
        label(&mut body, (x, HEIGHT - 22), "middle", &point.label);
        let Some(value) = point.value else {
            before = None;
            continue;
        };
        let y = HEIGHT - 20 - axis.at(value);
        if let Some((x0, y0)) = before {
            put(
                &mut body,
                format_args!(r#"<line class="trend" x1="{x0}" y1="{y0}" x2="{x}" y2="{y}"/>"#),
            );
        }
        put(
            &mut body,
            format_args!(r#"<circle class="point" cx="{x}" cy="{y}" r="3"/>"#),
        );
        label(&mut body, (x, y - ROW), "middle", &point.shown);
        before = Some((x, y));
    }
    framed(caption, HEIGHT, &body)
}

/// A straight scale from numbers to the grid.
struct Axis {
    low: i128,
    span: i128,
    length: i128,
    /// What numbers are divided by, so that scaling cannot overflow.
    coarse: i128,
}

impl Axis {
    fn new(low: i128, high: i128, length: i128) -> Self {
        // Beyond this the last digits move no shape.
        const FINE: i128 = 1 << 80;
        let span = high.saturating_sub(low);
        let coarse = span / FINE + 1;
        Self {
            low,
            span: (span / coarse).max(1),
            length,
            coarse,
        }
    }

    fn at(&self, value: i128) -> i128 {
        let distance = value.saturating_sub(self.low) / self.coarse;
        (distance * self.length + self.span / 2) / self.span
    }
}

fn to_signed(value: u128) -> i128 {
    i128::try_from(value).unwrap_or(i128::MAX)
}

fn bar(body: &mut String, (x, top, width): (i128, i128, i128), class: &str) {
    let (y, height) = (top + 4, ROW - 8);
    put(
        body,
        format_args!(
            r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}" rx="2"/>"#
        ),
    );
}

fn label(body: &mut String, (x, top): (i128, i128), anchor: &str, text: &str) {
    let y = top + ROW / 2 + 4;
    put(
        body,
        format_args!(
            r#"<text x="{x}" y="{y}" text-anchor="{anchor}">{}</text>"#,
            escaped(text)
        ),
    );
}

fn put(body: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _infallible = body.write_fmt(text);
}

fn framed(caption: &Caption, height: i128, body: &str) -> String {
    let Caption {
        id,
        title,
        description,
    } = caption;
    let (title, description) = (escaped(title), escaped(description));
    format!(
        r#"<figure><figcaption id="{id}-t">{title}</figcaption><svg role="img" aria-labelledby="{id}-t {id}-d" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"><desc id="{id}-d">{description}</desc>{body}</svg></figure>"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caption() -> Caption {
        Caption {
            id: "w-l1".to_owned(),
            title: "From <target> to actual".to_owned(),
            description: "100 to 70".to_owned(),
        }
    }

    fn step(value: i128, kind: StepKind) -> Step {
        Step {
            label: "a & b".to_owned(),
            shown: value.to_string(),
            value,
            kind,
        }
    }

    /// Left edges and widths of the bars.
    fn rectangles(svg: &str) -> Vec<(i128, i128)> {
        let number = |text: &str, name: &str| {
            let (_, rest) = text.split_once(&format!(" {name}=\"")).unwrap();
            rest.split('"').next().unwrap().parse::<i128>().unwrap()
        };
        let all = svg.split("<rect").skip(1);
        all.map(|rect| (number(rect, "x"), number(rect, "width")))
            .collect()
    }

    #[test]
    fn each_bar_of_a_waterfall_begins_where_the_last_ended() {
        let svg = waterfall(
            &caption(),
            &[
                step(100, StepKind::Level),
                step(-50, StepKind::Explained),
                step(20, StepKind::Unexplained),
                step(70, StepKind::Level),
            ],
        );
        let bars = rectangles(&svg);
        let end = |index: usize| bars[index].0 + bars[index].1;
        assert_eq!(bars[0].0, LABELS);
        assert_eq!(
            end(0),
            LABELS + WIDTH - LABELS - NUMBERS,
            "the longest fills the room"
        );
        assert_eq!(end(1), end(0), "it goes down from the first level");
        assert_eq!(bars[2].0, bars[1].0, "and up from there");
        assert_eq!(end(3), end(2), "the last level is where the steps lead");
        assert!(svg.contains("From &lt;target&gt;") && svg.contains("a &amp; b"));
        assert!(svg.contains(r#"aria-labelledby="w-l1-t w-l1-d""#));
    }

    #[test]
    fn levels_below_zero_hang_from_the_axis() {
        let svg = waterfall(
            &caption(),
            &[step(-80, StepKind::Level), step(80, StepKind::Explained)],
        );
        let bars = rectangles(&svg);
        assert_eq!(bars[0], bars[1]);
        let zero = format!(r#"x1="{}""#, bars[0].0 + bars[0].1);
        assert!(svg.contains(&zero), "{svg}");
    }

    #[test]
    fn any_amount_fits() {
        for value in [0, 1, i128::MAX, i128::MIN, 10_i128.pow(38) - 1] {
            let many = vec![
                step(value, StepKind::Level),
                step(value, StepKind::Explained),
            ];
            for (x, width) in rectangles(&waterfall(&caption(), &many)) {
                assert!(
                    x >= LABELS && x + width <= WIDTH - NUMBERS + 2,
                    "{value}: {x} {width}"
                );
            }
        }
        assert!(!bars(&caption(), &[]).contains("<rect"));
    }

    #[test]
    fn a_month_without_a_number_breaks_the_line() {
        let point = |value| Point {
            label: "m".to_owned(),
            shown: "n".to_owned(),
            value,
        };
        let lines = |values: &[Option<i128>]| {
            let points: Vec<Point> = values.iter().copied().map(point).collect();
            trend(&caption(), &points)
                .matches("class=\"trend\"")
                .count()
        };
        assert_eq!(lines(&[Some(1), Some(-2), Some(3)]), 2);
        assert_eq!(lines(&[Some(1), None, Some(3)]), 0);
        assert_eq!(lines(&[]), 0);
    }
}
