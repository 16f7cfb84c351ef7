//! Kinds that a table can be of: each is declared once, with its word, its sentence and its keys, beside the code that
//! lowers it. The JSON Schema, `windtunnel explain`, "did you mean" and the advice of problems follow.

/// A kind of table, of those that one key names.
pub(crate) trait Kind: Copy + 'static {
    /// All of them.
    const ALL: &'static [Self];

    /// The word in scenario files.
    fn word(self) -> &'static str;

    /// The keys that a table of this kind takes besides the kind.
    fn takes(self) -> &'static [&'static str];

    /// Those of them that it needs.
    fn needs(self) -> &'static [&'static str];

    /// What to write where the kind is missing: "one of rolling, canary".
    fn one_of() -> String {
        format!("one of {}", Self::ALL.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", "))
    }
}

/// Declares an enum of kinds: `Variant = "word" takes [keys] needs [keys]`, with the sentence as its comment.
macro_rules! kinds {
    (
        $(#[$doc:meta])*
        pub enum $name:ident {
            $(
                $(#[$about:meta])*
                $variant:ident = $word:literal takes [$($takes:literal),*] needs [$($needs:literal),*],
            )+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize, ::schemars::JsonSchema)]
        pub enum $name {
            $($(#[$about])* #[serde(rename = $word)] $variant,)+
        }

        impl $crate::section::kind::Kind for $name {
            const ALL: &'static [Self] = &[$($name::$variant),+];

            fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            fn takes(self) -> &'static [&'static str] {
                match self { $($name::$variant => &[$($takes),*]),+ }
            }

            fn needs(self) -> &'static [&'static str] {
                match self { $($name::$variant => &[$($needs),*]),+ }
            }
        }
    };
}
pub(crate) use kinds;
