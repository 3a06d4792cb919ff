// Brings the rigs up to date without losing the reader's place, and says when no news comes.
(() => {
  const every_ms = Number(document.body.dataset.everyMs);
  const rigs = document.getElementById("rigs"), silent = document.getElementById("silent");
  let heard = new Date();
  const again = async () => {
    try {
      const answer = await fetch(location.pathname, {cache: "no-store", signal: AbortSignal.timeout(every_ms)});
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      rigs.replaceChildren(...page.getElementById("rigs").childNodes);
      document.title = page.title;
      heard = new Date();
    } catch { /* told below, from the second time on */ }
    silent.textContent = new Date() - heard < 2.5 * every_ms ? ""
      : `No answer from ccdmon fleet since ${heard.toLocaleTimeString()}: what is shown is old.`;
    setTimeout(again, every_ms);
  };
  setTimeout(again, every_ms);
})();
