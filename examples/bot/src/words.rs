//! What the bot says.

/// Said to everybody who comes.
pub const GREETING: &str = "a bot: write help";

const HELP: &str = "roll: a die; roll 2d20: two with twenty sides; who: the people here; echo TEXT: your text";
const MOST_DICE: u32 = 20;
const MOST_SIDES: u32 = 1_000;

/// None: it was meant for other people.
pub fn answer(text: &str, people: &[String], mut roll: impl FnMut(u32) -> u32) -> Option<String> {
    let (word, rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
    match (word, rest.trim()) {
        ("help", "") => Some(HELP.to_owned()),
        ("who", "") => Some(people.join(", ")),
        ("echo", rest) if !rest.is_empty() => Some(rest.to_owned()),
        ("roll", dice) => Some(match dice_of(dice) {
            Some((count, sides)) => (0..count).map(|_| roll(sides).to_string()).collect::<Vec<_>>().join(" + "),
            None => format!("at most {MOST_DICE} dice with at most {MOST_SIDES} sides: roll 2d20"),
        }),
        _ => None,
    }
}

/// `2d20`: how many, and how many sides they have.
fn dice_of(text: &str) -> Option<(u32, u32)> {
    if text.is_empty() {
        return Some((1, 6));
    }
    let (count, sides) = text.split_once('d')?;
    let (count, sides) = (count.parse().ok()?, sides.parse().ok()?);
    ((1..=MOST_DICE).contains(&count) && (2..=MOST_SIDES).contains(&sides)).then_some((count, sides))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<String> {
        answer(text, &["Ann".to_owned(), "Bot".to_owned()], |sides| sides)
    }

    #[test]
    fn it_answers_what_it_knows_and_nothing_else() {
        assert_eq!(said("who").as_deref(), Some("Ann, Bot"));
        assert_eq!(said(" echo  two words ").as_deref(), Some("two words"));
        assert_eq!(said("roll").as_deref(), Some("6"));
        assert_eq!(said("roll 2d20").as_deref(), Some("20 + 20"));
        for odd in ["roll 0d6", "roll 21d6", "roll 2d1", "roll 2d1001", "roll xdy", "roll 2"] {
            assert!(said(odd).unwrap().starts_with("at most"), "{odd}");
        }
        for other in ["", "hello", "helper", "who is there?", "echo", "help me"] {
            assert_eq!(said(other), None, "{other}");
        }
    }
}
