//! Labels in German, as NetBox translates them for `Accept-Language: de`.

const LABELS: &[(&str, &str)] = &[
    ("Active", "Aktiv"),
    ("Planned", "Geplant"),
    ("Staging", "Bereitstellung"),
    ("Decommissioning", "Außerbetriebnahme"),
    ("Retired", "Ausgemustert"),
    ("Reserved", "Reserviert"),
    ("Available", "Verfügbar"),
    ("Deprecated", "Veraltet"),
    ("Failed", "Fehlgeschlagen"),
    ("Inventory", "Inventar"),
    ("Connected", "Verbunden"),
    ("Created", "Erstellt"),
    ("Updated", "Aktualisiert"),
    ("Deleted", "Gelöscht"),
    ("Virtual", "Virtuell"),
    ("Front", "Vorderseite"),
    ("Rear", "Rückseite"),
];

/// The German label, or the same where there is none.
pub(super) fn german(label: &'static str) -> &'static str {
    let found = LABELS.iter().find(|(english, _)| *english == label);
    found.map_or(label, |(_, german)| german)
}
