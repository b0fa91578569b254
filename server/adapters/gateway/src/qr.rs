//! The code in the gateway's picture, drawn anew: what it says is read, encoded again, and believed only
//! if the drawing says the same.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::scan::Picture;
use qrcode::{Color, EcLevel, QrCode};

/// A picture is 438 pixels wide (seen).
const WIDEST: u32 = 2_000;
/// Modules around a code that scanners need empty (ISO/IEC 18004).
const QUIET: usize = 4;

/// The picture of a `data:image/png` URL; the gateway's own when it cannot be read.
pub(crate) fn picture(data_url: &str) -> Picture {
    read(data_url)
        .and_then(|says| draw(&says))
        .unwrap_or(Picture::Image)
}

/// What the code in a PNG says.
fn read(data_url: &str) -> Option<String> {
    let png = STANDARD
        .decode(data_url.strip_prefix("data:image/png;base64,")?)
        .ok()?;
    let limits = png::Limits { bytes: 64 << 20 };
    let mut decoder = png::Decoder::new_with_limits(std::io::Cursor::new(png), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = reader.info().size();
    if width > WIDEST || height > WIDEST {
        return None;
    }
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut pixels).ok()?;
    let samples = frame.color_type.samples();
    let line = frame.line_size;
    scan(frame.width as usize, frame.height as usize, |x, y| {
        let at = y * line + x * samples;
        // Transparent is paper; grey and red tell dark from light well enough for a code.
        let opaque = samples % 2 == 1
            || pixels
                .get(at + samples - 1)
                .is_some_and(|alpha| *alpha > 127);
        if opaque {
            pixels.get(at).copied().unwrap_or(255)
        } else {
            255
        }
    })
}

fn scan(width: usize, height: usize, luma: impl FnMut(usize, usize) -> u8) -> Option<String> {
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, luma);
    let grids = image.detect_grids();
    let (_, says) = grids.first()?.decode().ok()?;
    Some(says)
}

/// The code that says `says`, with the least error correction: its modules are the largest then, and a
/// screen has no scratches.
fn draw(says: &str) -> Option<Picture> {
    let code = QrCode::with_error_correction_level(says, EcLevel::L).ok()?;
    let side = code.width();
    let dark = |x: usize, y: usize| code[(x, y)] == Color::Dark;
    if !says_the_same(says, side, dark) {
        return None;
    }
    Some(Picture::Modules {
        side,
        dark: code
            .to_colors()
            .iter()
            .map(|color| *color == Color::Dark)
            .collect(),
        link: says.to_owned().into(),
    })
}

/// Scans the drawing as it will be shown, four pixels a module.
fn says_the_same(says: &str, side: usize, dark: impl Fn(usize, usize) -> bool) -> bool {
    const SCALE: usize = 4;
    let width = (side + 2 * QUIET) * SCALE;
    let read = scan(width, width, |x, y| {
        let module = |at: usize| (at / SCALE).checked_sub(QUIET).filter(|at| *at < side);
        match (module(x), module(y)) {
            (Some(x), Some(y)) if dark(x, y) => 0,
            _ => 255,
        }
    });
    read.as_deref() == Some(says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    /// A picture as the gateway makes it.
    fn png_of(says: &str, color: png::ColorType) -> String {
        const SCALE: usize = 5;
        let code = QrCode::new(says).unwrap();
        let side = (code.width() + 2 * QUIET) * SCALE;
        let mut pixels = Vec::new();
        for y in 0..side {
            for x in 0..side {
                let module = |at: usize| {
                    (at / SCALE)
                        .checked_sub(QUIET)
                        .filter(|at| *at < code.width())
                };
                let dark = matches!((module(x), module(y)), (Some(x), Some(y)) if code[(x, y)] == Color::Dark);
                let luma = if dark { 0 } else { 255 };
                match color {
                    png::ColorType::Rgba => pixels.extend([luma, luma, luma, 255]),
                    _ => pixels.push(luma),
                }
            }
        }
        let mut file = Vec::new();
        let size = u32::try_from(side).unwrap();
        let mut encoder = png::Encoder::new(&mut file, size, size);
        encoder.set_color(color);
        encoder.set_depth(png::BitDepth::Eight);
        encoder
            .write_header()
            .unwrap()
            .write_image_data(&pixels)
            .unwrap();
        format!("data:image/png;base64,{}", STANDARD.encode(file))
    }

    fn link_of(picture: Picture) -> String {
        match picture {
            Picture::Modules { link, .. } => link.expose_secret().to_owned(),
            Picture::Image => panic!("not read"),
        }
    }

    #[test]
    fn a_code_as_whatsapp_gives_it_is_drawn_anew() {
        // 257 characters, as seen.
        let says = format!(
            "https://wa.me/settings/linked_devices#2@{},9",
            "aB3/+".repeat(43)
        );
        for color in [png::ColorType::Grayscale, png::ColorType::Rgba] {
            assert_eq!(link_of(picture(&png_of(&says, color))), says);
        }
    }

    #[test]
    fn what_cannot_be_read_stays_the_gateways_own_picture() {
        for url in [
            "",
            "data:image/png;base64,",
            "data:image/png;base64,!!!",
            "data:text/html,x",
        ] {
            assert!(matches!(picture(url), Picture::Image), "{url}");
        }
        let no_code = format!(
            "data:image/png;base64,{}",
            STANDARD.encode(b"\x89PNG\r\n\x1a\n half")
        );
        assert!(matches!(picture(&no_code), Picture::Image));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn every_text_is_drawn_so_that_it_says_the_same(says in "[ -~]{1,300}") {
            if let Some(drawn) = draw(&says) {
                prop_assert_eq!(link_of(drawn), says);
            }
        }

        #[test]
        fn no_bytes_upset_it(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            picture(&format!("data:image/png;base64,{}", STANDARD.encode(bytes)));
        }
    }
}
