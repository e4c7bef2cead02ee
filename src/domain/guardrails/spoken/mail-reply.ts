// "Jane wrote:", as mail programs say it above what they quote.
const wrote = [
  ...["wrote", "writes", "said", "schrieb", "schreibt", "a écrit", "escribió", "escribio", "ha scritto", "escreveu"],
  ...[
    "schreef",
    "skrev",
    "skreiv",
    "kirjoitti",
    "napisał",
    "napisała",
    "pisze",
    "napsal",
    "napsala",
    "píše",
    "napísal",
  ],
  ...["napisao", "írta", "a scris", "yazdı", "έγραψε", "написал", "написала", "пишет", "пише"],
  ...["写道", "寫道", "撰写", "書きました", "のメール", "작성", "viết", "menulis", "เขียนว่า", "כתב", "כתבה", "كتب"],
];
// The first line of the block that Outlook puts above what it quotes, and its neighbours.
const labels = [
  ...["from", "sent", "to", "cc", "subject", "date", "reply-to", "von", "gesendet", "an", "betreff", "datum", "de"],
  ...["envoyé", "à", "objet", "para", "enviado", "enviado el", "enviada em", "asunto", "assunto", "da", "inviato", "a"],
  ...[
    "oggetto",
    "van",
    "verzonden",
    "aan",
    "onderwerp",
    "fra",
    "sendt",
    "til",
    "emne",
    "från",
    "skickat",
    "till",
    "ämne",
  ],
  ...[
    "lähettäjä",
    "lähetetty",
    "od",
    "wysłano",
    "do",
    "temat",
    "odesláno",
    "komu",
    "předmět",
    "от",
    "отправлено",
    "кому",
  ],
  ...[
    "тема",
    "feladó",
    "címzett",
    "tárgy",
    "kimden",
    "gönderen",
    "kime",
    "konu",
    "发件人",
    "发送时间",
    "收件人",
    "主题",
  ],
  ...["寄件者", "收件者", "主旨", "差出人", "送信日時", "宛先", "件名", "보낸 사람", "받는 사람", "제목", "보낸 날짜"],
];
// What telephones write under a mail.
const sentFrom = new RegExp(
  [
    ...[
      "^sent (?:from|via|using|with) ",
      "^gesendet (?:von|mit) ",
      "^von mein.{1,40} gesendet",
      "^envoyé (?:de|depuis) ",
    ],
    ...["^enviado (?:desde|do|de|a partir) ", "^inviato da", "^verzonden (?:vanaf|met|van) ", "^skickat från "],
    ...[
      "^sendt fra ",
      "^wysłan[eo] z",
      "^отправлено с",
      "^get outlook for ",
      "^outlook für ",
      "から送信$",
      "^发自",
      "에서 보냄$",
    ],
  ].join("|"),
  "iu",
);

const address = /[\w.+-]+@[\w-]+\.\w/;
const moment = /\b\d{1,2}:\d{2}\b|\b(?:19|20)\d{2}\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b|\d年/;
const colonAtEnd = /[:：﹕︰]["'”*_>\p{Cf}\s]*$/u;

/**
 * True for the lines of a paragraph that end in a mail program's word about what it quotes below, in whatever language:
 * it ends in a colon and names an address, a moment, or that somebody wrote.
 */
export function beginsQuotedMail(paragraph: readonly string[]): boolean {
  const last = paragraph.at(-1) ?? "";
  if (/begin forwarded message|anfang der weitergeleiteten/i.test(last)) return true;
  if (!colonAtEnd.test(last)) return false;
  // An attribution is wrapped over three lines at most.
  const text = paragraph.slice(-3).join(" ").toLowerCase();
  return address.test(text) || moment.test(text) || wrote.some((word) => text.includes(word));
}

/** A header as in the block above a quoted mail (`From: …`, `Gesendet: …`), or a telephone's signature. */
export function opensHeaderBlock(line: string): boolean {
  const plain = line.replace(/[*_\p{Cf}]/gu, "").trim();
  const [, label = "", value = ""] = /^([^:：]{1,20}?)\s*[:：]\s*(.*)$/.exec(plain) ?? [];
  const isHeader = labels.includes(label.toLowerCase()) || (label !== "" && address.test(value));
  return isHeader || sentFrom.test(plain);
}

/** A line that parts the writer's words from a signature, a footer or an older mail, alone or with words in it. */
export function isDivider(line: string): boolean {
  const plain = line.replace(/\p{Cf}/gu, "");
  if (/^\s*(?:[-–—―‐‑─━]\s*){2,}/u.test(plain) || /^\s*[–—―-]\s*$/u.test(plain)) return true;
  return /^\s*(?:([_*=#~+.])\s*)(?:\1\s*)+$/u.test(plain);
}
