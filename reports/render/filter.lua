--- What Quarto's Markdown has beyond pandoc's, for both outputs of the bundled engine: callouts, columns, grids,
--- numbered figures and tables, references to them, alternative texts. What it does not know it refuses.

local typst = FORMAT:match("typst") ~= nil
local tabs = dofile(pandoc.path.join({ pandoc.path.directory(PANDOC_SCRIPT_FILE), "tabs.lua" }))
local callouts = { note = "Note", tip = "Tip", important = "Important", warning = "Warning", caution = "Caution" }
local refused_classes = { "^panel%-", "^column%-", "^aside$", "^toolbar$", "^content%-" }
local refused_attributes = { ["layout"] = true, ["layout-nrow"] = true }
local supplements = { fig = "Figure", tbl = "Table" }
local numbers = {}

local function quoted(text)
  return '"' .. text:gsub("\\", "\\\\"):gsub('"', '\\"') .. '"'
end

local function raw(text)
  return pandoc.RawBlock(FORMAT, text)
end

local function unknown(what)
  error("the bundled engine does not know " .. what, 0)
end

--- The blocks of a callout; its title is an attribute or its first heading.
local function callout(div, kind)
  local title = div.attributes.title and pandoc.Inlines(div.attributes.title)
  local blocks = div.content
  if not title and blocks[1] and blocks[1].t == "Header" then
    title = blocks[1].content
    blocks:remove(1)
  end
  title = title or pandoc.Inlines(callouts[kind])
  if typst then
    local all = pandoc.List({ raw('#callout(kind: "' .. kind .. '", title: ['), pandoc.Plain(title), raw("])[") })
    all:extend(blocks)
    all:insert(raw("]"))
    return all
  end
  blocks:insert(1, pandoc.Div(pandoc.Plain(title), { class = "callout-title" }))
  return pandoc.Div(blocks, { class = "callout callout-" .. kind, role = "note" })
end

--- Cells side by side. On a narrow screen equal ones flow, others stand one below the other.
local function grid(cells, widths)
  local all = pandoc.List()
  if typst then
    all:insert(raw("#grid(columns: (" .. table.concat(widths, ", ") .. ",), gutter: 8pt,"))
    for _, cell in ipairs(cells) do
      all:insert(raw("["))
      all:extend(cell)
      all:insert(raw("],"))
    end
    all:insert(raw(")"))
    return all
  end
  for _, cell in ipairs(cells) do
    all:insert(pandoc.Div(cell, { class = "grid-cell" }))
  end
  local equal = true
  for _, width in ipairs(widths) do
    equal = equal and width == widths[1]
  end
  local least = math.floor(40 / #widths)
  local template = equal and "repeat(auto-fit, minmax(min(100%, " .. least .. "rem), 1fr))" or table.concat(widths, " ")
  return pandoc.Div(all, { class = equal and "grid" or "grid unequal", style = "grid-template-columns: " .. template })
end

local function columns(div)
  local cells, widths = pandoc.List(), pandoc.List()
  for _, block in ipairs(div.content) do
    if block.t ~= "Div" or not block.classes:includes("column") then
      unknown("anything but `.column` blocks within `.columns`")
    end
    cells:insert(block.content)
    local percent = (block.attributes.width or ""):match("^([%d.]+)%%$")
    widths:insert(percent and percent .. "fr" or "1fr")
  end
  return grid(cells, widths)
end

local function layout(div, count)
  local cells, widths = pandoc.List(), pandoc.List()
  for index, block in ipairs(div.content) do
    cells:insert(pandoc.List({ block }))
    if index <= count then
      widths:insert("1fr")
    end
  end
  return grid(cells, widths)
end

--- Each heading of the first one's level begins a tab; in a PDF it is a heading.
local function tabset(block)
  if typst then
    return block.content
  end
  local entries, level = pandoc.List(), nil
  for _, part in ipairs(block.content) do
    if part.t == "Header" and part.level == (level or part.level) then
      level = part.level
      entries:insert({ title = part.content, blocks = pandoc.List() })
    elseif #entries > 0 then
      entries[#entries].blocks:insert(part)
    else
      unknown("anything before the first heading of a `.panel-tabset`")
    end
  end
  return tabs(entries)
end

local function div(block)
  for _, class in ipairs(block.classes) do
    local kind = class:match("^callout%-(.+)$")
    if kind and callouts[kind] then
      return callout(block, kind)
    elseif class == "columns" then
      return columns(block)
    elseif class == "panel-tabset" then
      return tabset(block)
    end
    for _, pattern in ipairs(refused_classes) do
      if class:match(pattern) then
        unknown("the block class `." .. class .. "`")
      end
    end
  end
  for name in pairs(block.attributes) do
    if refused_attributes[name] then
      unknown("the block attribute `" .. name .. "`")
    end
  end
  local count = tonumber(block.attributes["layout-ncol"])
  if count then
    return layout(block, count)
  end
end

--- Attributes that speak to typst alone do not belong into HTML.
local function without_typst(element)
  if typst then
    return nil
  end
  for name in pairs(element.attributes) do
    if name:match("^typst:") then
      element.attributes[name] = nil
    end
  end
  return element
end

local function image(element)
  local alternative = element.attributes["fig-alt"] or element.attributes.alt or pandoc.utils.stringify(element.caption)
  if not typst then
    element.attributes["fig-alt"] = nil
    element.attributes.alt = alternative
    return element
  end
  local width = element.attributes.width and ", width: " .. element.attributes.width or ""
  return pandoc.RawInline("typst", "#image(" .. quoted(element.src) .. ", alt: " .. quoted(alternative) .. width .. ")")
end

--- Typst makes a minus sign of a hyphen before a number, and lists, headings and terms of what begins a cell like one:
--- text stays as it is.
local function text(element)
  if typst and (element.text:match("^%d+%.$") or element.text:match("^[%-+=/]") or element.text:match("[^%w]%-%d")) then
    return pandoc.RawInline("typst", "#" .. quoted(element.text) .. ";")
  end
end

--- Counts a figure or table that has a caption; typst writes the number itself.
local function number(element, kind)
  if #element.caption.long == 0 then
    return nil
  end
  numbers[kind] = (numbers[kind] or 0) + 1
  local label = supplements[kind] .. "\u{a0}" .. numbers[kind]
  if element.identifier ~= "" then
    numbers[element.identifier] = label
  end
  if typst then
    return nil
  end
  element.caption.long[1].content:insert(1, pandoc.Str(label .. ": "))
  return element
end

local function reference(cite)
  local name = cite.citations[1].id
  if not supplements[name:match("^(%a+)%-") or ""] then
    unknown("citations: @" .. name .. " refers to no figure (fig-…) or table (tbl-…)")
  end
  if not numbers[name] then
    error("nothing in the document is labelled " .. name, 0)
  end
  if typst then
    return pandoc.RawInline("typst", "@" .. name)
  end
  return pandoc.Link(numbers[name], "#" .. name)
end

--- In a PDF the first heading is of level 1, as Quarto's `shift-heading-level-by` makes it; PDF/UA demands it.
local function from_level_one(document)
  local least
  document:walk({ Header = function(header) least = math.min(least or header.level, header.level) end })
  return document:walk({
    Header = function(header)
      header.level = header.level - least + 1
      return header
    end,
  })
end

function Pandoc(document)
  if typst then
    document = from_level_one(document)
  end
  document = document:walk({
    Figure = function(element) return number(element, "fig") end,
    Table = function(element) return number(element, "tbl") end,
  })
  document = document:walk({ Cite = reference })
  return document:walk({ Div = div }):walk({ Image = image, Div = without_typst, Span = without_typst, Str = text })
end
