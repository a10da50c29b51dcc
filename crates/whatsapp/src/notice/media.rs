//! Parses files that Meta offers for download.

use super::Media;
use super::json::text;
use serde_json::Value;

/// Parses the file under the name of its kind.
pub(super) fn media(holder: Option<&Value>, kind: &str) -> Media {
    let file = holder.and_then(|holder| holder.get(kind)).unwrap_or(&Value::Null);
    Media { id: text(file, "id").unwrap_or_default(), mime_type: text(file, "mime_type").unwrap_or_default() }
}
