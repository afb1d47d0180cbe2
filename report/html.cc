#include "report/html.h"

#include "report/svg.h"

namespace bitgrid::report {
namespace {

constexpr char kStyle[] = R"css(
:root{color-scheme:light dark;--line:#8886;--mark:#2a7;--point:#68a}
body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:1360px;padding:12px}
h1{font-size:1.5em}h2{font-size:1.2em;margin-top:1.6em}
table{border-collapse:collapse;font-size:13px}td,th{padding:2px 8px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
td:first-child,th:first-child{text-align:left}tr.best td{font-weight:600}
.wide{overflow-x:auto}.tall{max-height:420px;overflow-y:auto}svg{max-width:100%;height:auto}svg text{font:13px system-ui,sans-serif;fill:currentColor}
.axis{fill:none;stroke:currentColor}.front{fill:none;stroke:var(--mark);stroke-width:2}.best{fill:var(--mark)}.point{fill:var(--point);fill-opacity:.6}
canvas{display:block;width:100%;height:480px;border:1px solid var(--line);touch-action:none;cursor:grab}
#hover{min-height:6.5em;font:13px/1.4 ui-monospace,monospace;white-space:pre-wrap}
select,button{font:inherit}tbody tr{cursor:pointer}.key span{display:inline-block;margin-right:14px}.key i{display:inline-block;width:12px;height:12px;margin-right:4px}
)css";

}  // namespace

std::string html_page(const std::string& title, const std::string& body) {
  return "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' "
         "content='width=device-width,initial-scale=1'><title>" +
         escape_markup(title) + "</title><style>" + kStyle + "</style></head><body>" + body + "</body></html>\n";
}

}  // namespace bitgrid::report
