//! The kinds of faults as scenario files have them: a file each in the folder `kind`, made modules by the kernel's
//! list.
//!
//! A file declares its parameters, whom its example means, how the kernel's fault is made of them, and how they are
//! drawn at random. Whether a kind concerns nodes or packets is in the type of the kernel's struct.

use super::parameter::{Declared, Drawn, Own, Parameter, Takes};
use crate::At;
use crate::draw::{Dice, whom};
use crate::problem::Problem;
use crate::select::{self, Names, Wrong};
use world::kernel::fault::{Info, Inject, Path};
use world::kernel::select::Selector;
use world::kernel::{self};

/// What a kind of fault declares for scenario files, beside what the kernel knows of it.
pub(super) trait Declare: Inject<Whom: Meant> {
    /// What may be said beside name, kind, whom and when.
    const PARAMETERS: &'static [Declared] = &[];

    /// Whom its example means, in a scenario with a service `shop` and a registry.
    const EXAMPLE: &'static str;

    /// The kernel's fault. `whom` is none where that could not be read, which has been told; parameters are read before
    /// it is asked for, so that what is wrong with them is told too.
    fn lower(whom: Option<Self::Whom>, own: &mut Own<'_, '_>) -> Option<Self>;

    /// Draws its parameters.
    fn draw(dice: &mut Dice, own: &mut Drawn) {
        let _ = (dice, own);
    }
}

/// Whom a fault can mean, as files say it.
pub(super) trait Meant: Sized {
    /// Reads `what`.
    fn read(what: &str, names: &Names<'_>) -> Result<Self, Wrong>;

    /// Draws one, as a file has it.
    fn draw(dice: &mut Dice, names: &Names<'_>) -> String;
}

impl Meant for Selector {
    fn read(what: &str, names: &Names<'_>) -> Result<Self, Wrong> {
        select::set(what, names)
    }

    fn draw(dice: &mut Dice, names: &Names<'_>) -> String {
        whom::set(dice, names)
    }
}

impl Meant for Path {
    fn read(what: &str, names: &Names<'_>) -> Result<Self, Wrong> {
        select::path(what, names)
    }

    fn draw(dice: &mut Dice, names: &Names<'_>) -> String {
        whom::path(dice, names)
    }
}

/// A kind's declaration, whatever its type.
struct Declaration {
    info: Info,
    parameters: &'static [Declared],
    example: &'static str,
    lower: fn(Option<&At<String>>, &Names<'_>, &mut Own<'_, '_>) -> Option<kernel::FaultKind>,
    draw_whom: fn(&mut Dice, &Names<'_>) -> String,
    draw: fn(&mut Dice, &mut Drawn),
}

impl Declaration {
    const fn of<K: Declare>() -> Self {
        Declaration {
            info: K::INFO,
            parameters: K::PARAMETERS,
            example: K::EXAMPLE,
            lower: lower::<K>,
            draw_whom: K::Whom::draw,
            draw: K::draw,
        }
    }
}

fn lower<K: Declare>(what: Option<&At<String>>, names: &Names<'_>, own: &mut Own<'_, '_>) -> Option<kernel::FaultKind> {
    let whom = what.and_then(|what| match K::Whom::read(what, names) {
        Ok(whom) => Some(whom),
        Err((message, label)) => {
            own.cx.report(Problem::at(what, message).label(label).unless_lost_name(what));
            None
        }
    });
    K::lower(whom, own).map(K::into)
}

/// Makes the modules of the kinds, and all that is a match over kinds.
macro_rules! kinds {
    ($($module:ident $Kind:ident;)+) => {
        $(mod $module;)+

        /// What goes wrong: a kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum FaultKind {
            $(#[doc = concat!("The kernel's `", stringify!($Kind), "`.")] $Kind,)+
        }

        impl FaultKind {
            /// All of them, in the order of the kernel's catalogue.
            pub const ALL: &'static [FaultKind] = &[$(FaultKind::$Kind),+];

            /// Their names, in the same order.
            pub const NAMES: &'static [&'static str] = &[$(<kernel::fault::$Kind as Inject>::INFO.name),+];

            fn declaration(self) -> &'static Declaration {
                match self {
                    $(FaultKind::$Kind => const { &Declaration::of::<kernel::fault::$Kind>() },)+
                }
            }
        }
    };
}

world::kernel::faults!(kinds);

impl FaultKind {
    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<FaultKind> {
        FaultKind::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The word in scenario files.
    pub fn name(self) -> &'static str {
        self.declaration().info.name
    }

    /// What it does: a lower-case fragment.
    pub fn summary(self) -> &'static str {
        self.declaration().info.summary
    }

    /// True for what happens at one moment and has no length.
    pub fn is_momentary(self) -> bool {
        self.declaration().info.is_momentary
    }

    /// What may be said of it beside name, kind, whom and when.
    pub fn parameters(self) -> &'static [Declared] {
        self.declaration().parameters
    }

    /// A fault of this kind as a scenario with a service `shop` and a registry might have it.
    pub fn example(self) -> String {
        let mut text = format!("[[fault]]\nkind  = \"{}\"\nwhat  = \"{}\"", self.name(), self.declaration().example);
        text.push_str("\nat    = \"60s .. 90s\"");
        if !self.is_momentary() {
            text.push_str("\nlasts = \"20s\"");
        }
        for parameter in self.parameters() {
            let Some(value) = parameter.example else { continue };
            let name = parameter.name;
            // A number stands as it is, everything else in quotes.
            match value.parse::<f64>() {
                Ok(_) => text.push_str(&format!("\n{name:<5} = {value}")),
                Err(_) => text.push_str(&format!("\n{name:<5} = \"{value}\"")),
            }
        }
        text
    }

    pub(super) fn lower(
        self,
        what: Option<&At<String>>,
        names: &Names<'_>,
        own: &mut Own<'_, '_>,
    ) -> Option<kernel::FaultKind> {
        (self.declaration().lower)(what, names, own)
    }

    /// Draws whom a fault of this kind means.
    pub(crate) fn draw_whom(self, dice: &mut Dice, names: &Names<'_>) -> String {
        (self.declaration().draw_whom)(dice, names)
    }

    /// Draws its parameters.
    pub(crate) fn draw(self, dice: &mut Dice) -> Drawn {
        let mut own = Drawn::default();
        (self.declaration().draw)(dice, &mut own);
        own
    }
}
