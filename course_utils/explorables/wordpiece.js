// BERT's normalizer, pre-tokenizer and WordPiece match, as course_utils.subword.wordpiece has them.

const IDEOGRAPH = /[\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B81F}\u{2B920}-\u{2CEAF}\u{2F800}-\u{2FA1F}]/gu;
const PUNCTUATION = /[!-/:-@[-`{-~\p{P}]/gu;

/** The words of a text: cleaned, in lower case without accents where asked, punctuation and ideographs apart. */
function bertWords(text, lowercase) {
  let clean = text.replace(/[\t\n\r]/g, " ").replace(/[\p{Cc}\p{Cf}\p{Co}\uFFFD]/gu, "").replace(IDEOGRAPH, " $& ");
  // Lower case letter by letter: over a whole string JavaScript writes a final sigma, the library does not.
  if (lowercase) clean = [...clean.normalize("NFD").replace(/\p{Mn}/gu, "")].map((c) => c.toLowerCase()).join("");
  return clean.replace(PUNCTUATION, " $& ").split(/\p{White_Space}+/u).filter(Boolean);
}

/**
 * Every substring that the greedy match tries, in order: {start, end, piece, id}, id undefined where it fails.
 * start and end count characters. pieces is what came out; whole is false where the word became `unknown`.
 */
function walkWord(word, vocab, { unknown, longest }) {
  const letters = [...word], attempts = [], pieces = [];
  if (letters.length > longest) return { letters, attempts, pieces: [unknown], whole: false };
  for (let start = 0; start < letters.length;) {
    let end = letters.length, id;
    for (; end > start; end--) {
      const piece = (start ? "##" : "") + letters.slice(start, end).join("");
      id = vocab.get(piece);
      attempts.push({ start, end, piece, id });
      if (id !== undefined) break;
    }
    if (id === undefined) return { letters, attempts, pieces: [unknown], whole: false };
    pieces.push(attempts[attempts.length - 1].piece);
    start = end;
  }
  return { letters, attempts, pieces, whole: true };
}
