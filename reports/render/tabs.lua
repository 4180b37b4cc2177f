--- Tabs for both filters: buttons without a script, of which one is always chosen; printed one after the other.

local count = 0

--- Blocks with a tab for each entry: {title = inlines, blocks = blocks}.
return function(entries)
  count = count + 1
  local all = pandoc.List()
  for index, entry in ipairs(entries) do
    local id = "tabs-" .. count .. "-" .. index
    local checked = index == 1 and " checked" or ""
    local label = pandoc.Inlines({ pandoc.RawInline("html", '<label for="' .. id .. '">') })
    label:extend(entry.title)
    label:insert(pandoc.RawInline("html", "</label>"))
    all:insert(pandoc.RawBlock("html", '<input type="radio" name="tabs-' .. count .. '" id="' .. id .. '"' .. checked .. ">"))
    all:insert(pandoc.Plain(label))
    all:insert(pandoc.Div(entry.blocks, { class = "tabs-panel" }))
  end
  return pandoc.Div(all, { class = "tabs" })
end
