--- Quarto's dashboard layout for the bundled engine: level-1 headings are pages, level-2 headings rows, level-3
--- headings columns in them; `.tabset` makes tabs of what stands in a row or column, `.sidebar` puts it at the left, and
--- a level-1 `.toolbar` above all pages.
--- `.card` and `.valuebox` blocks are what stands there. Headings only divide: their text is shown for pages alone.

local tabs = dofile(pandoc.path.join({ pandoc.path.directory(PANDOC_SCRIPT_FILE), "tabs.lua" }))

local function refuse(what)
  error("the bundled engine's dashboards do not know " .. what, 0)
end

local function is(block, class)
  return block.t == "Div" and block.classes:includes(class)
end

--- The share of the width, from `width="60%"`.
local function flexible(attributes)
  local percent = (attributes.width or ""):match("^([%d.]+)%%$")
  return percent and { style = "flex-grow: " .. percent } or {}
end

local function card(block)
  local content = pandoc.List()
  if block.attributes.title then
    content:insert(pandoc.Header(2, pandoc.Inlines(block.attributes.title), { class = "board-title" }))
  end
  content:extend(block.content)
  return pandoc.Div(content, pandoc.Attr(block.identifier, { "board-card" }, flexible(block.attributes)))
end

--- The first paragraph says what it is, the second is the value, the rest are remarks.
local function value_box(block)
  local classes = { "board-label", "board-value", "board-remark" }
  local content = pandoc.List()
  for index, part in ipairs(block.content) do
    content:insert(pandoc.Div(part, { class = classes[math.min(index, #classes)] }))
  end
  return pandoc.Div(content, pandoc.Attr(block.identifier, { "board-card", "board-box" }))
end

local function items(blocks)
  local list = pandoc.List()
  for _, block in ipairs(blocks) do
    if is(block, "card") then
      list:insert(card(block))
    elseif is(block, "valuebox") then
      list:insert(value_box(block))
    elseif block.t == "RawBlock" then
      list:insert(block)
    else
      list:insert(pandoc.Div(block, { class = "board-card" }))
    end
  end
  return list
end

--- Each card under a tab of its title.
local function tabbed(blocks)
  local entries = pandoc.List()
  for _, block in ipairs(blocks) do
    if not (is(block, "card") and block.attributes.title) then
      refuse("anything but cards with a title in a `.tabset`")
    end
    entries:insert({ title = pandoc.Inlines(block.attributes.title), blocks = block.content })
  end
  return pandoc.Div(tabs(entries), { class = "board-card" })
end

--- The blocks before the first heading of a level, and those below each.
local function split(blocks, level)
  local before, parts = pandoc.List(), pandoc.List()
  for _, block in ipairs(blocks) do
    if block.t == "Header" and block.level <= level then
      if block.level < level then
        refuse("headings of level " .. block.level)
      end
      if block.classes:includes("toolbar") and level > 1 then
        refuse("`.toolbar` below level 1")
      end
      parts:insert({
        title = block.content,
        attributes = block.attributes,
        classes = block.classes,
        blocks = pandoc.List(),
      })
    elseif #parts > 0 then
      parts[#parts].blocks:insert(block)
    else
      before:insert(block)
    end
  end
  return before, parts
end

local function column(part)
  local content = part.classes:includes("tabset") and pandoc.List({ tabbed(part.blocks) }) or items(part.blocks)
  return pandoc.Div(content, pandoc.Attr("", { "board-column" }, flexible(part.attributes)))
end

local function row(part)
  if part.classes:includes("tabset") then
    return pandoc.Div(tabbed(part.blocks), { class = "board-row" })
  end
  local before, columns = split(part.blocks, 3)
  local content = items(before)
  content:extend(columns:map(column))
  return pandoc.Div(content, { class = "board-row" })
end

--- The blocks of a page as rows, with a sidebar beside them where there is one.
local function page(blocks)
  local leading, parts = split(blocks, 2)
  local rows, sidebar = pandoc.List(leading), nil
  for _, part in ipairs(parts) do
    if part.classes:includes("sidebar") then
      sidebar = pandoc.Div(part.blocks, { class = "board-card board-sidebar" })
    else
      rows:insert(row(part))
    end
  end
  if not sidebar then
    return rows
  end
  return pandoc.List({ pandoc.Div({ sidebar, pandoc.Div(rows, { class = "board-main" }) }, { class = "board-beside" }) })
end

function Pandoc(document)
  local has_pages = false
  for _, block in ipairs(document.blocks) do
    has_pages = has_pages or (block.t == "Header" and block.level == 1)
  end
  if not has_pages then
    document.blocks = page(document.blocks)
    return document
  end
  local leading, pages = split(document.blocks, 1)
  local sidebar, toolbar, entries = nil, nil, pandoc.List()
  for _, part in ipairs(pages) do
    if part.classes:includes("toolbar") then
      toolbar = pandoc.Div(part.blocks, { class = "board-toolbar" })
    elseif part.classes:includes("sidebar") then
      sidebar = pandoc.Div(part.blocks, { class = "board-card board-sidebar" })
    else
      entries:insert({ title = part.title, blocks = page(part.blocks) })
    end
  end
  local main = pandoc.Div(tabs(entries), { class = "board-pages" })
  document.blocks = leading
  if toolbar then
    document.blocks:insert(toolbar)
  end
  document.blocks:insert(sidebar and pandoc.Div({ sidebar, main }, { class = "board-beside" }) or main)
  return document
end
