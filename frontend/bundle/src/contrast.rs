//! Proof that the colours in `style/tokens.css` can be read: WCAG 2.2 AA, in both themes.

use std::{collections::BTreeMap, fs};

use crate::testing;

/// Text on what it stands on: at least 4.5 to 1.
const TEXT: &[(&str, &[&str])] = &[
    (
        "ink",
        &[
            "paper",
            "card",
            "sunken",
            "tint",
            "ok-bg",
            "warn-bg",
            "down-bg",
            "accent-bg",
        ],
    ),
    (
        "ink-2",
        &[
            "paper",
            "card",
            "sunken",
            "tint",
            "ok-bg",
            "warn-bg",
            "down-bg",
            "accent-bg",
        ],
    ),
    ("ink-3", &["paper", "card", "sunken", "tint"]),
    (
        "accent",
        &["paper", "card", "sunken", "tint", "accent-bg", "warn-bg"],
    ),
    (
        "accent-2",
        &["paper", "card", "sunken", "tint", "accent-bg", "warn-bg"],
    ),
    ("accent-ink", &["accent", "accent-2"]),
    ("ok", &["paper", "card", "sunken", "tint", "ok-bg"]),
    ("warn", &["paper", "card", "sunken", "tint", "warn-bg"]),
    ("down", &["paper", "card", "sunken", "tint", "down-bg"]),
    ("down-ink", &["down"]),
    ("ink", &["mark-bg"]),
    ("ink-2", &["mark-bg"]),
];

/// Borders of fields, strips, the ring of the focus: at least 3 to 1.
const GRAPHICS: &[(&str, &[&str])] = &[
    ("edge", &["paper", "card", "sunken"]),
    ("accent", &["paper", "card", "sunken", "tint"]),
    ("ok", &["card", "sunken"]),
    ("warn", &["card", "sunken"]),
    ("down", &["card", "sunken"]),
    ("ink-3", &["card", "sunken"]),
];

#[test]
fn text_can_be_read_in_both_themes() {
    assert_contrast(TEXT, 4.5);
}

#[test]
fn graphics_can_be_seen_in_both_themes() {
    assert_contrast(GRAPHICS, 3.0);
}

#[test]
fn black_on_white_is_twenty_one_to_one() {
    let ratio = ratio([0, 0, 0], [255, 255, 255]);
    assert!((ratio - 21.0).abs() < 1e-9, "{ratio}");
}

fn assert_contrast(pairs: &[(&str, &[&str])], least: f64) {
    let tokens = tokens();
    let mut faults = Vec::new();
    for (front, backs) in pairs {
        for back in *backs {
            for (theme, at) in [("light", 0), ("dark", 1)] {
                let ratio = ratio(tokens[*front][at], tokens[*back][at]);
                if ratio < least {
                    faults.push(format!("{theme}: --{front} on --{back} is {ratio:.2}"));
                }
            }
        }
    }
    assert!(
        faults.is_empty(),
        "less than {least} to 1:\n{}",
        faults.join("\n")
    );
}

type Rgb = [u8; 3];

/// Every `--name: light-dark(#rrggbb, #rrggbb);` of the file.
fn tokens() -> BTreeMap<String, [Rgb; 2]> {
    let css = fs::read_to_string(testing::style().join("tokens.css")).unwrap();
    css.lines()
        .filter_map(|line| line.trim().strip_prefix("--")?.split_once(": light-dark("))
        .map(|(name, rest)| {
            let (light, rest) = rest.split_once(", ").expect("two colours");
            let (dark, _) = rest.split_once(')').expect("an end");
            (name.to_owned(), [rgb(light), rgb(dark)])
        })
        .collect()
}

fn rgb(hex: &str) -> Rgb {
    let mut rgb = [0; 3];
    hex::decode_to_slice(hex.strip_prefix('#').expect("a #"), &mut rgb).expect("six digits");
    rgb
}

/// WCAG 2.2, "contrast ratio".
fn ratio(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// WCAG 2.2, "relative luminance".
fn luminance(rgb: Rgb) -> f64 {
    let [r, g, b] = rgb.map(|value| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}
