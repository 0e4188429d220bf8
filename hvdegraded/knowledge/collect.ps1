<#
Collects what hvdegraded needs from this Hyper-V host into one zip: event logs, which VM runs what, states of the
integration services, the host's build and time zone, and when all that was taken.

Run it on the host, in a PowerShell with administrator rights (Windows Server 2012 R2 or later):
    powershell -ExecutionPolicy Bypass -File collect.ps1
    powershell -ExecutionPolicy Bypass -File collect.ps1 -Path D:\host.zip

The script reads, and writes nothing but the zip and a folder of its own below TEMP, which it removes.
#>
param(
    [string] $Path = "$env:COMPUTERNAME.zip"
)

$ErrorActionPreference = 'Stop'

# Channels in which Hyper-V reports versions and failures; others of Hyper-V and of virtual disks that exist are taken too.
$wanted = @(
__CHANNELS__
)

function ConvertTo-UtcText($time) {
    if ($null -eq $time) { return $null }
    return $time.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffffffZ')
}

function Write-Json($value, [string] $file) {
    $json = ConvertTo-Json -InputObject $value -Depth 4
    [System.IO.File]::WriteAllText($file, $json, (New-Object System.Text.UTF8Encoding $false))
}

function Get-EdgeOfLog([string] $channel, [switch] $Oldest) {
    try {
        return (Get-WinEvent -LogName $channel -MaxEvents 1 -Oldest:$Oldest -ErrorAction Stop).TimeCreated
    } catch {
        return $null
    }
}

# The inventory of guests, as hvdegraded guests-script prints it.
$writeInventory = {
__INVENTORY__
}

$target = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
$folder = Join-Path ([System.IO.Path]::GetTempPath()) ('hvdegraded-' + [guid]::NewGuid().ToString('N'))
$null = New-Item -ItemType Directory -Path $folder
try {
    $taken = ConvertTo-UtcText (Get-Date)
    $problems = @()

    $existing = @{}
    foreach ($log in @(Get-WinEvent -ListLog 'System', '*Hyper-V*', '*VHDMP*' -ErrorAction SilentlyContinue)) {
        if ([string] $log.LogType -in 'Administrative', 'Operational') { $existing[$log.LogName] = $log }
    }
    $channels = @(
        foreach ($name in @($wanted + $existing.Keys | Sort-Object -Unique)) {
            $log = $existing[$name]
            $entry = [ordered] @{
                Name = $name; Exists = ($null -ne $log); Enabled = $false; Records = 0
                Oldest = $null; Newest = $null; File = $null; Problem = $null
            }
            if ($null -ne $log) {
                $entry.Enabled = [bool] $log.IsEnabled
                if ($null -ne $log.RecordCount) { $entry.Records = [long] $log.RecordCount }
                $entry.Oldest = ConvertTo-UtcText (Get-EdgeOfLog $name -Oldest)
                $entry.Newest = ConvertTo-UtcText (Get-EdgeOfLog $name)
                $file = ($name -replace '/', '%4') + '.evtx'
                try {
                    $answer = & wevtutil.exe epl $name (Join-Path $folder $file) /ow:true 2>&1
                    if ($LASTEXITCODE -ne 0) { throw ($answer | Select-Object -First 1) }
                    $entry.File = $file
                } catch {
                    $entry.Problem = [string] $_
                }
            }
            [pscustomobject] $entry
        }
    )

    try {
        $null = & $writeInventory -Path (Join-Path $folder 'guests.json')
    } catch {
        $problems += "the inventory of guests could not be written: $_"
    }
    try {
        $states = @(
            foreach ($service in @(Get-VM | Get-VMIntegrationService)) {
                $second = $service.SecondaryOperationalStatus
                [pscustomobject] @{
                    VMName                     = $service.VMName
                    VMId                       = [string] $service.VMId
                    ComputerName               = $service.ComputerName
                    Name                       = $service.Name
                    Id                         = $service.Id
                    Enabled                    = $service.Enabled
                    PrimaryOperationalStatus   = [int] $service.PrimaryOperationalStatus
                    PrimaryStatusDescription   = $service.PrimaryStatusDescription
                    SecondaryOperationalStatus = $(if ($null -ne $second) { [int] $second })
                    SecondaryStatusDescription = $service.SecondaryStatusDescription
                }
            }
        )
        Write-Json $states (Join-Path $folder 'states.json')
    } catch {
        $problems += "the states of the integration services could not be written: $_"
    }

    $computer = $env:COMPUTERNAME
    try { $computer = (Get-WinEvent -LogName 'System' -MaxEvents 1 -ErrorAction Stop).MachineName } catch { }
    $system = Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
    $zone = [System.TimeZoneInfo]::Local
    Write-Json ([pscustomobject] [ordered] @{
        schema         = 'hvdegraded.collection'
        schema_version = 1
        Host           = $computer
        Taken          = $taken
        Product        = $system.ProductName
        Build          = "$([System.Environment]::OSVersion.Version.ToString(3)).$($system.UBR)"
        TimeZone       = $zone.Id
        Channels       = $channels
        Problems       = $problems
    }) (Join-Path $folder 'hvdegraded.json')

    Add-Type -AssemblyName System.IO.Compression.FileSystem
    if (Test-Path -LiteralPath $target) { Remove-Item -LiteralPath $target }
    [System.IO.Compression.ZipFile]::CreateFromDirectory($folder, $target)
    Write-Output "$(@($channels | Where-Object { $_.File }).Count) logs written to $target"
    foreach ($problem in $problems) { Write-Warning $problem }
} finally {
    Remove-Item -LiteralPath $folder -Recurse -Force
}
