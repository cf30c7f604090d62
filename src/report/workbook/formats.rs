//! How cells look.

use rust_xlsxwriter::{Color, Format, FormatAlign};

use crate::report::tables::Kind;

/// One format for each kind of cell.
pub(super) struct Formats {
    pub(super) title: Format,
    pub(super) alarm: Format,
    pub(super) heading: Format,
    pub(super) money: Format,
    pub(super) number: Format,
    pub(super) count: Format,
    pub(super) day: Format,
    pub(super) moment: Format,
    pub(super) total: Format,
    pub(super) text: Format,
}

impl Formats {
    pub(super) fn new() -> Self {
        let top = || Format::new().set_align(FormatAlign::Top);
        Self {
            title: Format::new().set_bold().set_font_size(14),
            alarm: Format::new()
                .set_bold()
                .set_font_color(Color::RGB(0xA4_16_1A)),
            heading: top()
                .set_bold()
                .set_text_wrap()
                .set_font_color(Color::White)
                .set_background_color(Color::RGB(0x1F_3A_5F)),
            // Ledger sign, as the headings say: debit positive, credit negative.
            money: top().set_num_format(r#"#,##0.00" Dr";[Red]#,##0.00" Cr";0.00"#),
            number: top().set_num_format("#,##0.00########"),
            count: top().set_num_format("#,##0"),
            day: top().set_num_format("yyyy-mm-dd"),
            moment: top().set_num_format("yyyy-mm-dd hh:mm:ss"),
            total: Format::new().set_bold(),
            text: top(),
        }
    }

    pub(super) fn of(&self, kind: Kind) -> &Format {
        match kind {
            Kind::Text => &self.text,
            Kind::Amount => &self.money,
            Kind::Number => &self.number,
            Kind::Count => &self.count,
            Kind::Date => &self.day,
            Kind::Moment => &self.moment,
        }
    }
}
