//! Distances on the sphere.

use crible_core::Position;

/// Mean Earth radius in kilometres (IUGG).
const RADIUS_KM: f64 = 6_371.008_8;

/// Great-circle distance in kilometres.
///
/// By the chord between two unit vectors: d = 2R·arcsin(c/2), with polynomial sine, cosine and arcsine so that the bits
/// do not depend on the platform. Within 50 m plus 0.01 % of the haversine formula everywhere on Earth.
pub(crate) fn kilometres(a: Position, b: Position) -> f64 {
    let (a, b) = (unit(a), unit(b));
    let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
    let half = (square.sqrt() / 2.0).min(1.0);
    2.0 * RADIUS_KM * arcsin(half)
}

fn unit(p: Position) -> [f64; 3] {
    let radians = |e7: i32| f64::from(e7) * (std::f64::consts::PI / 1.8e9);
    let (sin_lat, cos_lat) = sin_cos(radians(p.latitude_e7()));
    let (sin_lon, cos_lon) = sin_cos(radians(p.longitude_e7()));
    [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat]
}

/// Sine and cosine on [−π, π]: reduced to the quarter circle around a multiple of π/2, then Taylor's series to x¹³.
fn sin_cos(x: f64) -> (f64, f64) {
    let quarter = (x / std::f64::consts::FRAC_PI_2).round();
    let r = x - quarter * std::f64::consts::FRAC_PI_2;
    let z = r * r;
    let sin = r
        * (1.0
            - z / 6.0 * (1.0 - z / 20.0 * (1.0 - z / 42.0 * (1.0 - z / 72.0 * (1.0 - z / 110.0 * (1.0 - z / 156.0))))));
    let cos =
        1.0 - z / 2.0 * (1.0 - z / 12.0 * (1.0 - z / 30.0 * (1.0 - z / 56.0 * (1.0 - z / 90.0 * (1.0 - z / 132.0)))));
    match quarter as i64 {
        0 => (sin, cos),
        1 => (cos, -sin),
        -1 => (-cos, sin),
        _ => (-sin, -cos),
    }
}

/// Arcsine on [0, 1], after Abramowitz and Stegun 4.4.46 (absolute error below 2e-8): near zero, where that error would
/// show, Taylor's series instead.
fn arcsin(x: f64) -> f64 {
    if x < 0.3 {
        let z = x * x;
        return x
            * (1.0
                + z * (1.0 / 6.0
                    + z * (3.0 / 40.0 + z * (15.0 / 336.0 + z * (105.0 / 3_456.0 + z * (945.0 / 42_240.0))))));
    }
    const A: [f64; 8] = [
        1.570_796_305_0,
        -0.214_598_801_6,
        0.088_978_987_4,
        -0.050_174_304_6,
        0.030_891_881_0,
        -0.017_088_125_6,
        0.006_670_090_1,
        -0.001_262_491_1,
    ];
    let polynomial = A.iter().rev().fold(0.0, |sum, a| sum * x + a);
    std::f64::consts::FRAC_PI_2 - (1.0 - x).sqrt() * polynomial
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn haversine(a: (f64, f64), b: (f64, f64)) -> f64 {
        let (lat1, lat2) = (a.0.to_radians(), b.0.to_radians());
        let h = ((lat2 - lat1) / 2.0).sin().powi(2)
            + lat1.cos() * lat2.cos() * ((b.1 - a.1).to_radians() / 2.0).sin().powi(2);
        2.0 * RADIUS_KM * h.sqrt().min(1.0).asin()
    }

    #[test]
    fn paris_to_new_york() {
        let paris = Position::from_degrees(48.8566, 2.3522).unwrap();
        let new_york = Position::from_degrees(40.7128, -74.006).unwrap();
        let km = kilometres(paris, new_york);
        assert!((5_830.0..5_845.0).contains(&km), "{km}");
        assert_eq!(kilometres(paris, paris), 0.0);
    }

    proptest! {
        #[test]
        fn agrees_with_haversine(a in (-90.0f64..90.0, -180.0f64..180.0), b in (-90.0f64..90.0, -180.0f64..180.0)) {
            let ours = kilometres(
                Position::from_degrees(a.0, a.1).unwrap(),
                Position::from_degrees(b.0, b.1).unwrap(),
            );
            let theirs = haversine(a, b);
            prop_assert!((ours - theirs).abs() <= 0.05 + theirs * 1e-4, "{ours} {theirs}");
        }

        #[test]
        fn near_points_are_exact(lat in -80.0f64..80.0, lon in -179.0f64..179.0, d in 0.0f64..0.5) {
            let ours = kilometres(
                Position::from_degrees(lat, lon).unwrap(),
                Position::from_degrees(lat + d, lon + d).unwrap(),
            );
            let theirs = haversine((lat, lon), (lat + d, lon + d));
            prop_assert!((ours - theirs).abs() <= 0.001 + theirs * 1e-6, "{ours} {theirs}");
        }
    }
}
