function file = scratch(name)
    % file = SCRATCH(name)  A path in a new empty temporary folder.
    folder = tempname();
    mkdir(folder);
    file = fullfile(folder, name);
end
