use std::fmt;

/// A place on Earth in whole ten-millionths of a degree (about a centimetre), WGS 84. There is none off the Earth.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    latitude_e7: i32,
    longitude_e7: i32,
}

impl Position {
    const MOST_LATITUDE: i32 = 900_000_000;
    const MOST_LONGITUDE: i32 = 1_800_000_000;

    /// From degrees; `None` where they are not on Earth (NaN included).
    pub fn from_degrees(latitude: f64, longitude: f64) -> Option<Self> {
        if !((-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude)) {
            return None;
        }
        Self::from_e7((latitude * 1e7).round() as i32, (longitude * 1e7).round() as i32)
    }

    /// From ten-millionths of a degree; `None` where they are not on Earth.
    ///
    /// ```
    /// use crible_core::Position;
    /// assert!(Position::from_e7(488_566_000, 23_522_000).is_some());
    /// assert_eq!(Position::from_e7(900_000_001, 0), None);
    /// ```
    pub const fn from_e7(latitude_e7: i32, longitude_e7: i32) -> Option<Self> {
        let is_on_earth = -Self::MOST_LATITUDE <= latitude_e7
            && latitude_e7 <= Self::MOST_LATITUDE
            && -Self::MOST_LONGITUDE <= longitude_e7
            && longitude_e7 <= Self::MOST_LONGITUDE;
        if is_on_earth { Some(Self { latitude_e7, longitude_e7 }) } else { None }
    }

    /// Latitude × 10⁷, −900,000,000 to 900,000,000.
    pub const fn latitude_e7(self) -> i32 {
        self.latitude_e7
    }

    /// Longitude × 10⁷, −1,800,000,000 to 1,800,000,000.
    pub const fn longitude_e7(self) -> i32 {
        self.longitude_e7
    }
}

impl fmt::Display for Position {
    /// Latitude and longitude in degrees: `48.8566000,2.3522000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let degrees = |f: &mut fmt::Formatter<'_>, e7: i32| {
            let sign = if e7 < 0 { "-" } else { "" };
            write!(f, "{sign}{}.{:07}", e7.unsigned_abs() / 10_000_000, e7.unsigned_abs() % 10_000_000)
        };
        degrees(f, self.latitude_e7)?;
        f.write_str(",")?;
        degrees(f, self.longitude_e7)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_position_is_on_earth(latitude in any::<i32>(), longitude in any::<i32>()) {
            let is_on_earth = latitude.unsigned_abs() <= 900_000_000 && longitude.unsigned_abs() <= 1_800_000_000;
            let position = Position::from_e7(latitude, longitude);
            prop_assert_eq!(position.is_some(), is_on_earth);
            prop_assert!(position.is_none_or(|p| (p.latitude_e7(), p.longitude_e7()) == (latitude, longitude)));
        }

        #[test]
        fn degrees_agree(latitude in -91.0f64..91.0, longitude in -181.0f64..181.0) {
            let position = Position::from_degrees(latitude, longitude);
            prop_assert_eq!(position.is_some(), latitude.abs() <= 90.0 && longitude.abs() <= 180.0);
        }
    }

    #[test]
    fn shown_in_degrees() {
        assert_eq!(Position::from_degrees(-0.5, 2.3522).unwrap().to_string(), "-0.5000000,2.3522000");
        assert_eq!(Position::from_degrees(f64::NAN, 0.0), None);
    }
}
