(function () {
  "use strict";
  var form = document.getElementById("filters");
  var checks = Array.prototype.slice.call(document.querySelectorAll("details.check"));
  var fields = ["severity", "verdict", "service", "layer"].map(function (id) { return document.getElementById(id); });
  var search = document.getElementById("search");
  var only = "";
  function apply() {
    var words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    var shown = 0;
    checks.forEach(function (check) {
      var fits = fields.every(function (field) { return !field.value || check.dataset[field.id] === field.value; }) && (!only || check.dataset.type === only);
      var any = false;
      check.querySelectorAll(".finding").forEach(function (finding) {
        var hit = fits && words.every(function (word) { return finding.dataset.text.indexOf(word) >= 0; });
        finding.hidden = !hit;
        any = any || hit;
        shown += hit ? 1 : 0;
      });
      check.hidden = !any;
    });
    document.getElementById("shown").textContent = shown + " findings" + (only ? " on " + only : "");
  }
  form.addEventListener("input", apply);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("reset", function () { only = ""; setTimeout(apply, 0); });
  document.querySelectorAll(".cell button").forEach(function (button) {
    button.addEventListener("click", function () {
      form.reset();
      only = button.dataset.type;
      document.getElementById("layer").value = button.dataset.layer;
      setTimeout(function () { only = button.dataset.type; document.getElementById("layer").value = button.dataset.layer; apply(); document.getElementById("findings").scrollIntoView(); }, 0);
    });
  });
  apply();
})();
